package relay

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// heard are the lines of chat that a session is told now.
func (l *listener) heard() (lines []*Event) {
	for more := true; more; {
		var out []Out
		out, more = l.sub.Pull(nil)
		for _, o := range out {
			if o.Event != nil && o.Event.Kind == ChatText {
				lines = append(lines, o.Event)
			}
		}
	}
	return lines
}

func texts(lines []*Event) string {
	var all []string
	for _, e := range lines {
		all = append(all, e.Text)
	}
	return strings.Join(all, " ")
}

func TestChatIsKeptForWhoComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann := w.listen("ann")
		for i := range chatKept + 5 {
			ann.m.Chat(Chat{Text: strconv.Itoa(i)})
		}
		bob := w.listen("bob")
		ann.m.Chat(Chat{Text: "live"})
		bob.m.ChatSince(time.UnixMicro(0))
		lines := bob.heard()
		if len(lines) != chatKept || lines[0].Text != "6" || lines[chatKept-1].Text != "live" {
			t.Fatalf("%d lines, from %s to %s", len(lines), lines[0].Text, lines[len(lines)-1].Text)
		}
		for i, e := range lines {
			if !e.Past || i > 0 && (e.Seq != lines[i-1].Seq+1 || !e.At.After(lines[i-1].At)) {
				t.Fatalf("line %d: %+v", i, e)
			}
		}
		cyd := w.listen("cyd")
		if cyd.m.ChatSince(lines[chatKept-3].At); texts(cyd.heard()) != "204 live" {
			t.Error("who knows some of it is told of the rest")
		}
		long := strings.Repeat("x", 4096)
		for range 20 {
			ann.m.Chat(Chat{Text: long})
		}
		dan := w.listen("dan")
		if dan.m.ChatSince(time.UnixMicro(0)); len(dan.heard()) != chatBytes/4096 {
			t.Error("what is kept is not bounded in bytes")
		}
	})
}

func TestChatSentTwiceIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		ann, bob := w.listen("ann"), w.listen("bob")
		for _, n := range []uint64{1, 2, 1, 2, 3} {
			ann.m.Chat(Chat{Text: strconv.FormatUint(n, 10), Source: "s", N: n})
		}
		ann.m.Chat(Chat{Text: "uncounted"})
		ann.m.Chat(Chat{Text: "uncounted"})
		if got := texts(bob.heard()); got != "1 2 3 uncounted uncounted" {
			t.Error(got)
		}
		if got := texts(ann.heard()); got != "1 2 3 uncounted uncounted" {
			t.Error("the sender's own copies: " + got)
		}
	})
}
