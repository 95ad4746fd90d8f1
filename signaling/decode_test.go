package signaling

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"landline/media"
)

type messageVectors struct {
	Valid   []json.RawMessage
	Invalid []struct{ Name, Text, Error string }
	Ignored []struct{ Name, Text, Type string }
}

func readVectors(t testing.TB) (v messageVectors) {
	t.Helper()
	raw, err := os.ReadFile("../testdata/messages.json")
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil || len(v.Valid) < 20 || len(v.Invalid) < 10 || len(v.Ignored) < 2 {
		t.Fatalf("vectors: %v (%d, %d, %d)", err, len(v.Valid), len(v.Invalid), len(v.Ignored))
	}
	return v
}

// sameThroughStruct decodes a message with no unknown field allowed and encodes it to the same JSON.
func sameThroughStruct(t *testing.T, text []byte) {
	t.Helper()
	msg, err := Decode(text)
	if err != nil || msg == nil {
		t.Fatalf("%s: decoded to %v, %v", text, msg, err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(msg); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var want, got any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(Encode(msg), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%s\nencodes to\n%s", text, Encode(msg))
	}
}

func TestEveryMessageSurvivesDecodingAndEncoding(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range readVectors(t).Valid {
		sameThroughStruct(t, text)
		var head struct{ Type string }
		_ = json.Unmarshal(text, &head)
		seen[head.Type] = true
	}
	for name := range types {
		if !seen[name] {
			t.Errorf("no vector for message type %q", name)
		}
	}
}

func TestInvalidMessagesAreRefused(t *testing.T) {
	for _, v := range readVectors(t).Invalid {
		if msg, err := Decode([]byte(v.Text)); err == nil {
			t.Errorf("%s: accepted as %+v", v.Name, msg)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: error text of %d bytes", v.Name, len(err.Error()))
		}
	}
	if _, err := Decode([]byte("{\"type\":\"chat\",\"text\":\"\xff\"}")); err == nil {
		t.Error("text that is not UTF-8 accepted")
	}
}

func TestWhatThisVersionDoesNotKnowIsIgnored(t *testing.T) {
	for _, v := range readVectors(t).Ignored {
		msg, err := Decode([]byte(v.Text))
		if err != nil || (msg != nil) != (v.Type != "") {
			t.Errorf("%s: %v, %v", v.Name, msg, err)
		}
	}
}

// blocks returns the fenced blocks of one language in docs/protocol.md.
func blocks(t *testing.T, lang string) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+lang+"\n(.*?)```").FindAllSubmatch(page, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

func TestExamplesOfTheDocumentDecode(t *testing.T) {
	examples := blocks(t, "json")
	if len(examples) < 20 {
		t.Fatalf("only %d JSON examples found", len(examples))
	}
	for _, text := range examples {
		sameThroughStruct(t, []byte(text))
	}
}

func TestWorkedExampleOfTheDocument(t *testing.T) {
	var asm media.Assembler
	var whole []byte
	var acks, controls, objects int
	for _, block := range blocks(t, "hex") {
		msg, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
		if err != nil {
			t.Fatal(err)
		}
		switch msg[0] {
		case media.KindChunk:
			c, err := media.ParseChunk(msg)
			if err != nil {
				t.Fatal(err)
			}
			if h, data, ok := asm.Push(&c); ok {
				whole = data
				if h.Alias != 17 || h.Group != 5 || h.Timestamp != 90_500_000 || h.Length() != 37 || !h.Key {
					t.Fatalf("header %+v", h)
				}
			}
		case media.KindAck:
			acks++
			if a, err := media.ParseAck(msg); err != nil || a.Bytes != 73 || a.Time != 7_250_000 {
				t.Fatalf("ack %+v, %v", a, err)
			}
		case media.KindObject:
			objects++
			if c, err := media.ParseObject(msg); err != nil || !c.Last || c.Offset+uint64(len(c.Payload)) != 734_003 || c.Stream != 9 {
				t.Fatalf("object chunk %+v, %v", c, err)
			}
		default:
			controls++
			if _, err := media.ParseControl(msg); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(whole) != 37 || whole[36] != 0x24 || acks != 1 || controls != 4 || objects != 1 {
		t.Fatalf("frame of %d bytes, %d acks, %d controls", len(whole), acks, controls)
	}
}

func TestCloseCodesOfTheDocument(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, name := range closeNames {
		if code >= 4000 && !bytes.Contains(page, []byte(fmt.Sprintf("| %d | `%s` |", code, name))) {
			t.Errorf("docs/protocol.md has no row for %d %s", code, name)
		}
		if code < 4000 {
			continue
		}
		again, later := code.Retry()
		if want := code >= 4000 && code < 4200; again != want || later != (code >= 4100 && code < 4200) {
			t.Errorf("%d: again %v, later %v", code, again, later)
		}
	}
}

func FuzzDecode(f *testing.F) {
	v := readVectors(f)
	for _, text := range v.Valid {
		f.Add([]byte(text))
	}
	for _, bad := range v.Invalid {
		if len(bad.Text) < 1000 {
			f.Add([]byte(bad.Text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		msg, err := Decode(text)
		if err != nil || msg == nil {
			return
		}
		if _, err := Decode(Encode(msg)); err != nil {
			t.Fatalf("%s: own encoding %s refused: %v", text, Encode(msg), err)
		}
	})
}
