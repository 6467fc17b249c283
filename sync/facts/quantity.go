package facts

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantityForm is the form of the quantities that an API server keeps for storage. Parsing takes time that grows with the exponent: a text
// such as 1e-2000000000 would never come back.
var quantityForm = regexp.MustCompile(`^[0-9]{1,30}([.][0-9]{1,30})?([kMGTPE]|[KMGTPE]i|m|[eE][0-9]{1,2})?$`)

// ReadQuantity is the quantity that a text says. A text in any other form than that of a size says none.
func ReadQuantity(text string) (q resource.Quantity, ok bool) {
	if !quantityForm.MatchString(text) {
		return q, false
	}
	q, err := resource.ParseQuantity(text)
	return q, err == nil
}
