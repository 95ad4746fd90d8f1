package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// publishes runs landline pub with lines on its standard input.
func publishes(t *testing.T, url, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return launch(t, strings.NewReader(stdin), append([]string{"pub", "--url", url, "--room", "bar"}, args...)...).wait(t)
}

// follows starts landline sub.
func follows(t *testing.T, url string, args ...string) *job {
	t.Helper()
	return launch(t, nil, append([]string{"sub", "--url", url, "--room", "bar"}, args...)...)
}

func TestPubReachesSub(t *testing.T) {
	url := relayFor(t)
	latest := follows(t, url, "--topic", "quotes", "--json")
	log := follows(t, url, "--topic", "log", "--mode", "ordered")
	one := follows(t, url, "--topic", "quotes", "--key", "B", "--duration", "3s")
	inRoom(t, url, 3)
	for _, c := range []struct {
		stdin string
		args  []string
	}{
		{"A 1\nB {\"bid\": 2}\nC some text\n", []string{"--topic", "quotes", "--key", "-"}},
		{"", []string{"--topic", "quotes", "--key", "A", "7"}},
		{"first\nsecond\n", []string{"--topic", "log", "--mode", "ordered"}},
		{"", []string{"--topic", "log", "--mode", "ordered", "third", "the end"}},
	} {
		if _, errs, code := publishes(t, url, c.stdin, c.args...); code != 0 {
			t.Fatalf("pub %v: exit code %d, %s", c.args, code, errs)
		}
	}
	log.out.line(t, "the end")
	if got := log.out.String(); got != "first\nsecond\nthird\nthe end\n" {
		t.Errorf("the ordered topic was told as %q", got)
	}
	var a told
	if err := json.Unmarshal([]byte(latest.out.line(t, `"value":7`)), &a); err != nil || a.Key != "A" || a.Seq != 4 || a.At == 0 || a.By == "" {
		t.Errorf("%+v, %v", a, err)
	}
	if got, errs, code := one.wait(t); got != "B {\"bid\":2}\n" || code != 0 {
		t.Errorf("of one key was told %q, exit code %d: %s", got, code, errs)
	}
	late, _, _ := follows(t, url, "--topic", "quotes", "--duration", "1s").wait(t)
	if strings.Count(late, "\n") != 3 || !strings.Contains(late, "C some text\n") {
		t.Errorf("one who came late was told %q", late)
	}
}

func TestPubSaysWhatIsWrong(t *testing.T) {
	url := relayFor(t)
	follows(t, url, "--topic", "log", "--mode", "ordered")
	inRoom(t, url, 1)
	for _, c := range []struct {
		stdin, args string
		code        int
		reason      string
	}{
		{"lonely\n", "--topic t --key -", 1, "line 1 has no value behind its key"},
		{strings.Repeat("x", maxLine+1), "--topic t", 1, "line 1 has over"},
		{"", "--topic t --key - value", 2, "leave out the values"},
		{"", "--topic a/b value", 2, "--topic"},
		{"", "--topic log value", 1, "topic-mode: the topic has another mode"},
	} {
		if _, errs, code := publishes(t, url, c.stdin, strings.Fields(c.args)...); code != c.code || !strings.Contains(errs, c.reason) {
			t.Errorf("pub %s: exit code %d, %q; want %d, %q", c.args, code, errs, c.code, c.reason)
		}
	}
}
