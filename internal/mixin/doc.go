// Package mixin tests the mixins of jsonnet/: that what is rendered of them is
// current, that the series they name exist, and what they say of data that is made
// for the purpose.
package mixin
