// Package overgrpc tells why a source that is asked by gRPC does not answer.
package overgrpc

import (
	"errors"
	"io"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/loadline-exporters/loadline/internal/source"
)

// Because adds the reason to err, which wraps what gRPC said. unknownService is the
// reason where the other side does not know the service.
func Because(err error, unknownService source.Reason) error {
	switch st, _ := status.FromError(err); {
	// The latter: it was connected to and said nothing until gRPC gave up.
	case st.Code() == codes.DeadlineExceeded,
		st.Code() == codes.Unavailable && strings.Contains(st.Message(), "use of closed network connection"):
		return source.Because(source.Timeout, err)
	case strings.Contains(st.Message(), "permission denied"), st.Code() == codes.PermissionDenied:
		return source.Because(source.Forbidden, err)
	case st.Code() == codes.Unavailable, errors.Is(err, io.EOF):
		return source.Because(source.Absent, err)
	case st.Code() == codes.Unimplemented:
		return source.Because(unknownService, err)
	case st.Code() == codes.ResourceExhausted, st.Code() == codes.Internal:
		return source.Because(source.Invalid, err)
	}
	return err
}
