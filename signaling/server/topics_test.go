package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"landline/signaling"
	"landline/signaling/token"
)

// fault waits for the error that answers a request.
func (p *probe) fault(req int64) string {
	p.t.Helper()
	for {
		if e := await[signaling.Error](p); e.Req == req {
			return e.Code
		}
	}
}

func TestTopicsAnswerWhatIsWrongByName(t *testing.T) {
	_, url := start(t, Config{})
	p, _ := enter(t, url, "r", "")
	values := func(n int) string { return strings.Repeat(`{"key":"a","value":1},`, n-1) + `{"key":"a","value":1}` }
	for i, c := range []struct{ message, code string }{
		{`"type":"put","topic":"a/b","mode":"latest","values":[{"value":1}]`, signaling.ErrBadTopic},
		{`"type":"put","topic":"t","mode":"newest","values":[{"value":1}]`, signaling.ErrBadTopic},
		{`"type":"put","topic":"t","mode":"latest","values":[]`, signaling.ErrBadValue},
		{`"type":"put","topic":"t","mode":"latest","values":[{"key":"a"}]`, signaling.ErrBadValue},
		{`"type":"put","topic":"t","mode":"latest","values":[{"key":"` + strings.Repeat("k", 129) + `","value":1}]`, signaling.ErrBadValue},
		{`"type":"put","topic":"t","mode":"latest","values":[{"key":"a\nb","value":1}]`, signaling.ErrBadValue},
		{`"type":"put","topic":"t","mode":"latest","values":[{"value":"` + strings.Repeat("v", 4096) + `"}]`, signaling.ErrBadValue},
		{`"type":"put","topic":"t","mode":"latest","values":[` + values(1025) + `]`, signaling.ErrBadValue},
		{`"type":"follow","topic":"","mode":"latest"`, signaling.ErrBadTopic},
	} {
		p.text(fmt.Sprintf(`{"req":%d,%s}`, i+1, c.message))
		if got := p.fault(int64(i + 1)); got != c.code {
			t.Errorf("%.80s: %s, want %s", c.message, got, c.code)
		}
	}
	p.text(`{"type":"put","topic":"t","mode":"latest","values":[` + values(1024) + `]}`)
	p.text(`{"type":"follow","req":100,"topic":"t","mode":"ordered"}`)
	if got := p.fault(100); got != signaling.ErrTopicMode {
		t.Errorf("another mode: %s", got)
	}
	p.text(`{"type":"follow","topic":"t","mode":"latest"}`)
	if d := await[signaling.Data](p); len(d.Values) != 1 || d.To != 1024 || d.Head != 1024 {
		t.Errorf("%+v", d)
	}
}

func TestTopicsNeedTheirGrants(t *testing.T) {
	keys := testKeys(t)
	_, url := start(t, Config{Keys: keys})
	with := func(who string, grants ...token.Grant) *probe {
		p, _ := enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Identity, c.Grants = who, grants })))
		return p
	}
	reader, writer := with("reader", token.Subscribe), with("writer", token.Data)
	reader.text(`{"type":"put","req":1,"topic":"t","mode":"latest","values":[{"value":1}]}`)
	writer.text(`{"type":"follow","req":1,"topic":"t","mode":"latest"}`)
	for name, p := range map[string]*probe{"reader": reader, "writer": writer} {
		if got := p.fault(1); got != signaling.ErrNoGrant {
			t.Errorf("%s: %s", name, got)
		}
	}
	reader.text(`{"type":"follow","topic":"t","mode":"latest"}`)
	if d := await[signaling.Data](reader); len(d.Values) != 0 || d.Head != 0 {
		t.Errorf("of an empty topic: %+v", d)
	}
	writer.text(`{"type":"put","topic":"t","mode":"latest","values":[{"key":"k","value":{"deep":[1,2]}}]}`)
	d := await[signaling.Data](reader)
	if len(d.Values) != 1 || d.Values[0].By != "writer" || string(d.Values[0].Value) != `{"deep":[1,2]}` || d.Values[0].AtUs == 0 {
		t.Errorf("%+v", d)
	}
}

// TestATopicComesInPieces: a large snapshot is not one large message, and reaches one who comes late whole.
func TestATopicComesInPieces(t *testing.T) {
	_, url := start(t, Config{})
	feed, _ := enter(t, url, "r", "")
	want := map[string]string{}
	for i := range 40 {
		var values []string
		for j := range 20 {
			key, value := fmt.Sprintf("K%d", i*20+j), fmt.Sprintf(`"%0100d"`, i*20+j)
			want[key] = value
			values = append(values, fmt.Sprintf(`{"key":%q,"value":%s}`, key, value))
		}
		feed.text(`{"type":"put","topic":"t","mode":"latest","values":[` + strings.Join(values, ",") + `]}`)
	}
	late, _ := enter(t, url, "r", "")
	late.text(`{"type":"follow","topic":"t","mode":"latest"}`)
	got, read := map[string]string{}, uint64(0)
	for len(got) < len(want) {
		d := await[signaling.Data](late)
		if text, _ := json.Marshal(d); len(text) > 16<<10 {
			t.Fatalf("a message of %d bytes", len(text))
		}
		for _, v := range d.Values {
			got[v.Key] = string(v.Value)
		}
		if d.From < read {
			t.Fatalf("from %d after %d", d.From, read)
		}
		read = d.To
	}
	for key, value := range want {
		if got[key] != value {
			t.Fatalf("%s is %s, not %s", key, got[key], value)
		}
	}
}
