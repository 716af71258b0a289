package events

import (
	"strconv"
	"strings"
	"time"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// says is a class and what messages of it say, one of them at least.
type says struct {
	class   model.Class
	phrases []string
}

// first returns the class of the first that a message says, else otherwise.
func first(message string, of []says, otherwise model.Class) model.Class {
	for _, s := range of {
		for _, p := range s.phrases {
			if strings.Contains(message, p) {
				return s.class
			}
		}
	}
	return otherwise
}

// pullFailures are in order of precedence: what an error is wrapped in says less than
// what it began with. containerd says of a missing platform that it was not found, and
// of a limit that the authorization failed. The phrases are containerd's (core/remotes,
// core/images), Docker's and CRI-O's (containers/image), the registries' (distribution's
// error codes) and Go's (net, crypto).
func pullFailures() []says {
	return []says{
		{model.PullRateLimited, []string{"toomanyrequests", "TOOMANYREQUESTS", "429 Too Many Requests", "too many requests", "pull rate limit", "pull QPS exceeded"}},
		{model.PullPlatform, []string{"no match for platform", "no matching manifest for", "no image found in image index for", "no image found in manifest list for", "does not match the specified platform"}},
		{model.PullSignature, []string{"SignatureValidationFailed", "signature validation failed", "Source image rejected", "A signature was required"}},
		{model.PullDiskFull, []string{"no space left on device", "disk quota exceeded"}},
		{model.PullCertificate, []string{"x509: ", "tls: failed to verify", "server gave HTTP response to HTTPS client", "tls: first record does not look like"}},
		{model.PullTimeout, []string{"i/o timeout", "context deadline exceeded", "TLS handshake timeout", "Client.Timeout", "code = DeadlineExceeded", "504 Gateway Time", "timeout awaiting"}},
		{model.PullUnreachable, []string{
			"connection refused", "connection reset", "no such host", "server misbehaving", "network is unreachable", "no route to host",
			"RegistryUnavailable", "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "unexpected EOF", "proxyconnect",
		}},
		{model.PullAuthentication, []string{
			"401 Unauthorized", "403 Forbidden", "unauthorized", "UNAUTHORIZED", "authentication required", "authorization failed", "access denied",
			"denied: ", "DENIED", "requested access to the resource is denied", "no basic auth credentials", "failed to authorize", "insufficient_scope",
			"invalid username/password", "missing username or secret",
		}},
		{model.PullNotFound, []string{"not found", "manifest unknown", "name unknown", "NAME_UNKNOWN", "MANIFEST_UNKNOWN", "404 Not Found", "code = NotFound", "No such image", "no such image"}},
		{model.PullName, []string{"invalid reference format", "couldn't parse image", "failed to parse image reference"}},
	}
}

// PullFailure is the class of an error of pulling an image. The image's name and what
// is quoted, addresses mostly, are left out of what is looked at: anybody may choose
// them.
func PullFailure(image, message string) model.Class {
	if image != "" {
		message = strings.ReplaceAll(message, image, "")
	}
	var plain strings.Builder
	for i, part := range strings.Split(message, `"`) {
		if i%2 == 0 {
			plain.WriteString(part)
		}
	}
	return first(plain.String(), pullFailures(), model.PullFailed)
}

// quoted cuts the quoted text that a message has after a prefix, and what follows it.
func quoted(message, prefix string) (text, rest string, ok bool) {
	rest, ok = strings.CutPrefix(message, prefix)
	if !ok || !strings.HasPrefix(rest, `"`) {
		return "", "", false
	}
	return strings.Cut(rest[1:], `"`)
}

// Pull is what the kubelet says of an image that it pulled.
type Pull struct {
	Image    string
	Duration time.Duration // of the pull, without waiting for others
	Bytes    float64       // 0 where it does not say
}

// The parts of the kubelet's message (pkg/kubelet/images/image_manager.go):
//
//	Successfully pulled image "I" in 1.2s (3.4s including waiting). Image size: 567 bytes.
const (
	pulledPrefix = "Successfully pulled image "
	sizePrefix   = " Image size: "
)

// maxPull bounds what is believed.
const maxPull = 7 * 24 * time.Hour

// ParsePulled reads the message of an image that was pulled. Former kubelets say less:
// without the size before 1.30, without the duration before 1.20.
func ParsePulled(message string) (p Pull, ok bool) {
	image, rest, ok := quoted(message, pulledPrefix)
	if !ok || image == "" {
		return Pull{}, false
	}
	rest, ok = strings.CutPrefix(rest, " in ")
	if !ok {
		return Pull{}, false
	}
	duration, rest, _ := strings.Cut(rest, " ")
	d, err := time.ParseDuration(duration)
	if err != nil || d < 0 || d > maxPull {
		return Pull{}, false
	}
	p = Pull{Image: image, Duration: d}
	if _, size, found := strings.Cut(rest, sizePrefix[1:]); found {
		digits, _, _ := strings.Cut(size, " ")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > 0 {
			p.Bytes = float64(n)
		}
	}
	return p, true
}

// dockerHub is the registry of images that name none.
const dockerHub = "docker.io"

// Registry is the host, with its port, of an image's registry. As everywhere, the
// first part of a name is a host if it has a dot or a colon, or is localhost.
func Registry(image string) string {
	host, _, ok := strings.Cut(image, "/")
	if !ok || host != "localhost" && !strings.ContainsAny(host, ".:") {
		return dockerHub
	}
	if host == "index."+dockerHub || host == "registry-1."+dockerHub {
		return dockerHub
	}
	return strings.ToLower(host)
}
