"""Real data: bundled and downloaded sets (`sources`), and the user's own (`user`).

Nothing here imports torch, so that the app and quick commands can use it too.
"""
