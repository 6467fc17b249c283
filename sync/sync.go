package sync

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"novasphere.dev/wukong/types/v1alpha1"
)

func Sync(req *Request, settings Settings, now time.Time) (*Response, error) {
	return &Response{Children: []*unstructured.Unstructured{}}, isWukong(req.Parent)
}

func Finalize(req *Request, settings Settings, now time.Time) (*Response, error) {
	return &Response{Children: []*unstructured.Unstructured{}}, isWukong(req.Parent)
}

func Customize(req *CustomizeRequest, settings Settings) (*CustomizeResponse, error) {
	return &CustomizeResponse{}, isWukong(req.Parent)
}

// Stage is one step of the order in which children are created.
type Stage struct {
	// Title says what the stage makes, for example "1. node network".
	Title   string
	Objects []*unstructured.Unstructured
}

// Render answers with every child ... 
func Render(w *v1alpha1.Wukong, settings Settings, nmstate bool) ([]Stage, error) {
	return nil, isWukong(w)
}
