# The README's two commands in a container:
#   docker build -t perrin . && docker run --rm perrin run experiments/quickstart.toml
#   docker run --rm perrin test
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git
WORKDIR /opt/perrin
COPY . .
RUN ./perrin --version
ENTRYPOINT ["./perrin"]
