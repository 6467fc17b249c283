# A release names both by digest, see docs/release.md.
ARG GO_IMAGE=golang:1.26
ARG BASE_IMAGE=gcr.io/distroless/static-debian12:nonroot

# The compiler runs on the builder's own platform and compiles for the image's, which needs no emulation.
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
WORKDIR /src
# The whole tree with .git: Go stamps the version into the binary, as the tag v1.2.3 or as the commit.
COPY . .
ARG TARGETOS
ARG TARGETARCH
# The caches outlive the layer, so that a changed line compiles one package. Static, because the image below has no libc;
# -trimpath, so that equal sources are equal binaries wherever they are built; -tags hook, because nobody renders in a Pod.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/go/build \
    GOCACHE=/go/build CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -tags hook -trimpath -ldflags=-s -o /wukong .

# No shell and no package manager: there is nothing to run but the hook.
FROM $BASE_IMAGE
COPY --from=build /wukong /wukong
# By number: the kubelet cannot see that a name is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/wukong"]
