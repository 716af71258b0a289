package life

import (
	"context"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Collect adds the accounts.
func (b *Book) Collect(_ context.Context, w *family.Writer) error {
	b.Settle()
	b.accounts.Collect(w)
	return nil
}
