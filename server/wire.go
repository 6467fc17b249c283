package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// decode reads a request as the API server would: field names are case-sensitive and integers stay integers. Unknown
// fields are no error, because Metacontroller may add some; anything behind the value is.
func decode(data []byte, req any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("decoding the request: it has no body")
	}
	err := utiljson.Unmarshal(data, req)
	wrong := new(json.UnmarshalTypeError)
	switch errors.As(err, &wrong); {
	case wrong.Value != "" && wrong.Field == "":
		return fmt.Errorf("decoding the request: it must be an object, and is %s", wrong.Value)
	case wrong.Field != "":
		return fmt.Errorf("%s: decoding the request: this must be %s, and is %s", wrong.Field, wrong.Type, wrong.Value)
	}
	if err != nil {
		return fmt.Errorf("decoding the request: %w", err)
	}
	return nil
}

// encode writes an answer. Equal answers are equal bytes.
func encode[Resp any](resp *Resp) ([]byte, error) {
	if resp == nil {
		// It would be null on the wire, which Metacontroller reads as: delete every child.
		return nil, errors.New("encoding the answer: there is none")
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(resp); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return buf.Bytes(), nil
}
