package v1alpha1

import "regexp"

// saneQuantity is the text of a quantity that is parsed in no time. One with a large exponent, as 1e-2000000000, takes for ever, and
// nothing can stop the parser.
var saneQuantity = regexp.MustCompile(`^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$`)

// quantityLength is how long the text of a quantity may be.
const quantityLength = 32

// SaneQuantity reports whether a text may be parsed as a quantity. Every text has to be asked about before that, and so has
// JSON before it is decoded into a type with a quantity in it.
func SaneQuantity(text string) bool {
	return len(text) <= quantityLength && saneQuantity.MatchString(text)
}
