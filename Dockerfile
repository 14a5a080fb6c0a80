# UNTRIED: there was no Docker daemon where this was written. For a GPU begin from an image with CUDA and set TORCH to its build.
#   docker build -t rib .  &&  docker run --rm -v "$PWD":/work rib interpolate input=dance.mp4 rate=4
FROM python:3.11-slim
ARG TORCH="torch==2.13.0"
WORKDIR /opt/rib
COPY pyproject.toml README.md LICENSE ./
COPY rib rib
COPY conf conf
RUN pip install --no-cache-dir "$TORCH" && pip install --no-cache-dir ".[pose,sweep]" && rib download
WORKDIR /work
ENTRYPOINT ["rib"]
