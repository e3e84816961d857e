"""Compiled loops over members, for dense nets so small that a member fits the cache.

torch computes one operation for all members at a time, so that every intermediate
result travels through memory. Here, one loop takes a member from its weights to its
gradient before the next one starts. The torch code is the reference: the tests hold the
kernels against it, and whatever they do not claim is computed by it.
"""
