package cluster

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// Table prints what `kubectl get` prints of a resource in all namespaces, which is named by its plural and group. Of more than most
// objects it prints the first ones, and how many more there are.
func (c *Cluster) Table(ctx context.Context, w io.Writer, resource string, most int) error {
	gvr, err := c.Resource(resource)
	if err != nil {
		return err
	}
	config := rest.CopyConfig(c.Config)
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	table := &metav1.Table{}
	err = client.Get().AbsPath("apis", gvr.Group, gvr.Version, gvr.Resource).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Into(table)
	if err != nil {
		return fmt.Errorf("listing %s: %w", resource, err)
	}
	_, _ = fmt.Fprintf(w, "$ kubectl get %s\n", gvr.Resource)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i := -1; i < min(len(table.Rows), most); i++ {
		_, _ = fmt.Fprintln(columns, strings.Join(cells(table, i), "\t"))
	}
	if err := columns.Flush(); err != nil {
		return fmt.Errorf("printing %s: %w", resource, err)
	}
	if more := len(table.Rows) - most; more > 0 {
		_, _ = fmt.Fprintf(w, "… and %d more\n", more)
	}
	_, _ = fmt.Fprintln(w)
	return nil
}

// cells are the cells of a row, without those that only -o wide shows. Row -1 has the heads of the columns.
func cells(table *metav1.Table, row int) []string {
	var all []string
	for j, column := range table.ColumnDefinitions {
		switch {
		case column.Priority > 0:
		case row < 0:
			all = append(all, strings.ToUpper(column.Name))
		case table.Rows[row].Cells[j] == nil:
			all = append(all, "")
		default:
			all = append(all, fmt.Sprint(table.Rows[row].Cells[j]))
		}
	}
	return all
}
