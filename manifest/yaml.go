package manifest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	parserLine = regexp.MustCompile(`line (\d+): (.*)`)
	key        = regexp.MustCompile(`^[A-Za-z0-9_./-]+:( |$)`)
	crowded    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*:[^\s/:]`)
	block      = regexp.MustCompile(`[:-] [|>][0-9+-]*\s*(#.*)?$`)
)

// unreadable is the problem with a document that is no YAML. A parser notices a mistake some lines after it was made, and speaks of
// tokens, so the usual mistakes are looked for first.
func unreadable(file string, document []byte, err error) *Problem {
	lines := strings.Split(strings.ReplaceAll(string(document), "\r", ""), "\n")
	p := &Problem{Place: file}
	reported := 0
	if found := parserLine.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n ", "")); found != nil {
		reported, _ = strconv.Atoi(found[1])
		p.Message = found[2]
	} else {
		p.Message = strings.TrimPrefix(err.Error(), "yaml: ")
	}
	if strings.Contains(p.Message, "did not find expected") {
		reported++ // the parser counts these from 0
	}
	p.Line = min(reported, len(lines))
	if strings.Contains(p.Message, "already set in map") {
		p.Message = strings.TrimSuffix(strings.Replace(p.Message, "key ", "the field ", 1), " already set in map") +
			" is written twice in one place: kubectl would take the last one without a word"
		return p
	}
	if n, message := mistake(lines); message != "" {
		p.Line, p.Message = n, message
		return p
	}
	p.Message = "this is no YAML: " + p.Message
	if p.Line > 0 {
		p.Message += fmt.Sprintf(", in %q", strings.TrimSpace(lines[p.Line-1]))
	}
	return p
}

// mistake is the first line with one of the usual mistakes, and what it is.
func mistake(lines []string) (int, string) {
	outer := []int{0} // the indentations that a line may have
	literal := -1     // the indentation of the line that begins a block of text
	before := ""      // the line above with something on it
	for i, whole := range lines {
		text := strings.TrimSpace(whole)
		if text == "" || text[0] == '#' {
			continue
		}
		indentation := whole[:len(whole)-len(strings.TrimLeft(whole, " \t"))]
		if literal >= 0 && len(indentation) > literal {
			continue // anything may stand in a block of text
		}
		literal = -1
		if strings.Contains(indentation, "\t") {
			return i + 1, "there is a tab before the text: YAML is indented by spaces only"
		}
		if message := indented(&outer, len(indentation), text, before); message != "" {
			return i + 1, message
		}
		if message := slip(text); message != "" {
			return i + 1, message
		}
		if block.MatchString(text) {
			literal = len(indentation)
		}
		before = text
	}
	return 0, ""
}

// indented takes the indentation of a line to those that the lines after it may have, or says what is wrong with it.
func indented(outer *[]int, indentation int, text, before string) string {
	last := (*outer)[len(*outer)-1]
	complete := key.MatchString(strings.TrimPrefix(before, "- ")) && !strings.HasSuffix(before, ":") && !block.MatchString(before)
	if indentation > last && complete && key.MatchString(text) {
		return fmt.Sprintf("this is indented by %d spaces, under a field that has a value already: fields of one object are indented alike (%d)", indentation, last)
	}
	for len(*outer) > 1 && indentation < last {
		*outer = (*outer)[:len(*outer)-1]
		last = (*outer)[len(*outer)-1]
		if indentation > last {
			return fmt.Sprintf("this is indented by %d spaces, as no line above it is: fields of one object are indented alike", indentation)
		}
	}
	push := func(at int) {
		if at > (*outer)[len(*outer)-1] {
			*outer = append(*outer, at)
		}
	}
	push(indentation)
	for strings.HasPrefix(text, "- ") {
		rest := strings.TrimLeft(text[1:], " ")
		indentation += len(text) - len(rest)
		text = rest
		if key.MatchString(text) {
			push(indentation)
		}
	}
	return ""
}

// slip is what is wrong with a line by itself; empty where nothing usual is.
func slip(text string) string {
	for strings.HasPrefix(text, "- ") {
		text = strings.TrimLeft(text[1:], " ")
	}
	if crowded.MatchString(text) {
		name, _, _ := strings.Cut(text, ":")
		return fmt.Sprintf("a space is missing after %s:", name)
	}
	at := key.FindString(text)
	if at == "" {
		return ""
	}
	value := strings.TrimSpace(text[len(at):])
	switch {
	case value == "":
	case strings.HasPrefix(value, "{{"):
		return fmt.Sprintf("%q is of a template: render it first (with helm template, for example), or quote the value", value)
	case strings.ContainsRune("@`%", rune(value[0])):
		return fmt.Sprintf("a value that begins with %c is written in quotes: %s'%s'", value[0], at, value)
	case value[0] == '*' || value[0] == '!':
		return fmt.Sprintf("a value that begins with %c is written in quotes, unless YAML's own meaning of it is meant", value[0])
	case (value[0] == '"' || value[0] == '\'') && strings.Count(value, value[:1])%2 == 1:
		return fmt.Sprintf("the quote %c is not closed, or there is one more within: write another kind of quote around the text", value[0])
	case key.MatchString(value):
		return fmt.Sprintf("there are two colons in one line: write the value in quotes, %s'%s', or the second field on a line of its own", at, value)
	}
	return ""
}
