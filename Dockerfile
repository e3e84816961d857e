# The hosted lab in a container; .hosting/container.md says how to build and start it.
FROM python:3.11-slim-bookworm AS packages
# Address of an index with CPU builds of torch, see .hosting/README.md.
ARG TORCH_INDEX=""
WORKDIR /lab
COPY requirements.txt .hosting/install.sh ./
COPY .ci/locks .ci/locks
RUN mkdir -p .hosting app engine pages && mv install.sh .hosting/ \
 && TORCH_INDEX="$TORCH_INDEX" .hosting/install.sh /opt/lab

FROM python:3.11-slim-bookworm
RUN useradd --uid 1000 --no-create-home --home-dir /nonexistent lab \
 && install -d -o lab -g lab -m 700 /data
COPY --from=packages /opt/lab /opt/lab
WORKDIR /lab
COPY .streamlit .streamlit
COPY .hosting .hosting
COPY engine engine
COPY pages pages
COPY app app
COPY LICENSE README.md pyproject.toml ./
RUN /opt/lab/bin/python -m compileall -q app engine pages
USER lab
# Everything that is written, code compiled at run time included, is in the one volume.
ENV PATH=/opt/lab/bin:$PATH \
    METASCOPE_MODE=demo \
    METASCOPE_HOME=/data/store \
    NUMBA_CACHE_DIR=/data/kernels \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=7860 \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_ALLOWED_HOSTS="localhost 127.0.0.1"
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", ".hosting/health.py"]
CMD ["streamlit", "run", "app/main.py"]
