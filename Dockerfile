# The server with the weights of the package, on CPU. For NVIDIA's GPUs: --build-arg EXTRAS=serve,cuda13, and the
# container toolkit on the host.
FROM python:3.12-slim AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.12-slim
ARG EXTRAS=serve
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/*.whl)[${EXTRAS}]" \
    && useradd --create-home jaxdistort
USER jaxdistort
# Compiled programs are kept here: with a volume a new container need not compile them again.
RUN mkdir /home/jaxdistort/.cache
VOLUME /home/jaxdistort/.cache
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"]
ENTRYPOINT ["jaxdistort"]
# The token comes as JAXDISTORT_TOKEN; without it one is made, and printed to the log.
CMD ["serve", "--host", "0.0.0.0"]
