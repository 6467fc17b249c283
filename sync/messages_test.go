package sync_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// readable is how many characters of a message are soon read, and most is the share of messages, in percent, that have no more.
const (
	readable = 150
	most     = 90
)

// TestMessagesAreShort prints how long the messages of all golden statuses are, and holds nine in ten to what is soon read. A message
// counts once in each answer, as somebody reads it once who reads that status. What KubeVirt and NMState say in a request is theirs, and
// is not counted where an answer repeats it. With -v it prints each message that is too long, with a case that has it.
func TestMessagesAreShort(t *testing.T) {
	var lengths []int
	long := map[string]string{} // a message that is too long: a case that has it
	for hook := range hooks {
		for _, dir := range cases(t, hook) {
			for message := range answeredMessages(t, dir) {
				own := withoutQuotes(message, quotes(t, dir))
				length := utf8.RuneCountInString(own)
				if lengths = append(lengths, length); length > readable {
					long[own] = hook + "/" + filepath.Base(dir)
				}
			}
		}
	}
	if len(lengths) == 0 {
		t.Fatal("no golden answer has a message")
	}
	slices.Sort(lengths)
	at := func(percent int) int { return lengths[(len(lengths)-1)*percent/100] }
	t.Logf("%d messages: half have at most %d characters, three in four %d, nine in ten %d, all %d",
		len(lengths), at(50), at(75), at(most), at(100))
	for _, message := range slices.Sorted(maps.Keys(long)) {
		t.Logf("%d characters in %s: %s", utf8.RuneCountInString(message), long[message], message)
	}
	if at(most) > readable {
		t.Errorf("nine in ten messages have up to %d characters, and should have %d: say the cause and one way out", at(most), readable)
	}
}

// answeredMessages are the messages in the status of a golden answer; none where the request is refused.
func answeredMessages(t *testing.T, dir string) map[string]bool {
	t.Helper()
	var answer struct{ Status any }
	if files, _ := filepath.Glob(filepath.Join(dir, "response.json")); len(files) == 0 {
		return nil
	}
	if err := json.Unmarshal(read(t, dir, "response.json"), &answer); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return messagesIn(answer.Status)
}

// messagesIn are the texts of all fields message.
func messagesIn(v any) map[string]bool {
	found := map[string]bool{}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if text, ok := value.(string); ok && name == "message" && text != "" {
				found[text] = true
			} else {
				maps.Copy(found, messagesIn(value))
			}
		}
	case []any:
		for _, item := range v {
			maps.Copy(found, messagesIn(item))
		}
	}
	return found
}

// quotes are the sentences of others in a request, the longest first: whole messages on one line, single lines of them, and the error in
// such a line.
func quotes(t *testing.T, dir string) []string {
	t.Helper()
	var request struct{ Children, Related any }
	if json.Unmarshal(read(t, dir, "request.json"), &request) != nil {
		return nil // some cases are about requests that cannot be read
	}
	found := map[string]bool{}
	for message := range messagesIn([]any{request.Children, request.Related}) {
		for _, text := range append(strings.Split(message, "\n"), message) {
			line := strings.Join(strings.Fields(text), " ")
			found[line] = true
			if at := strings.Index(line, "NmstateError"); at >= 0 {
				found[line[at:]] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

// withoutQuotes is a message with … for each sentence of others in it. One that was cut ends in … already.
func withoutQuotes(message string, quotes []string) string {
	const shortest = 15 // shorter ones are words that anybody uses
	for _, quote := range quotes {
		if len(quote) < shortest {
			continue
		}
		if before, cut, found := strings.Cut(message, quote[:shortest]); found && strings.Contains(cut, "…") {
			if head, after, _ := strings.Cut(cut, "…"); strings.HasPrefix(quote, quote[:shortest]+head) {
				message = before + "…" + after
			}
		}
		message = strings.ReplaceAll(message, quote, "…")
	}
	return message
}
