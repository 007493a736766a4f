# An image that holds grantd, the libraries it is linked to, and nothing else: no shell, no root.

# This image brings the C compiler, perl and make that OpenSSL's build needs.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin grantd
# The linker's list of what the binary loads, copied to the same places below /image.
RUN set -eu; \
    install -D -m 0755 -t /image target/dist/grantd; \
    ldd target/dist/grantd | grep -o '/[^ ]*' | while read -r library; do \
        install -D -m 0755 "$library" "/image$library"; \
    done; \
    install -d -m 1777 /image/tmp; \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /image/ /
# An ordinary user; the number suffices, there is no /etc/passwd.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["/grantd", "health"]
ENTRYPOINT ["/grantd"]
CMD ["serve"]
