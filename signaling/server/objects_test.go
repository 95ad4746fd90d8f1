package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"landline/media"
	"landline/signaling"
	"landline/signaling/token"
)

// offering offers an object from one probe to all others, who take it, and returns its stream and turn.
func offering(from, to *probe, size int) (stream uint32, turn uint16) {
	from.t.Helper()
	from.text(fmt.Sprintf(`{"type":"offer","req":1,"object":"x","name":"x.bin","size":%d}`, size))
	o := await[signaling.Offering](from)
	offered := await[signaling.Offered](to)
	if len(o.Streams) != 1 || o.Streams[0].Stream != offered.Stream || offered.Name != "x.bin" || offered.Size != uint64(size) {
		from.t.Fatalf("%+v was told as %+v", o, offered)
	}
	to.text(fmt.Sprintf(`{"type":"accept","stream":%d}`, offered.Stream))
	a := await[signaling.Accepted](from)
	return a.Stream, a.Turn
}

func objectChunk(stream uint32, turn uint16, offset uint64, n int, last bool) []byte {
	c := media.ObjectChunk{Stream: stream, Turn: turn, Offset: offset, Payload: make([]byte, n), Last: last}
	return c.Append(nil)
}

func TestObjectFromOneToAnother(t *testing.T) {
	_, url := start(t, Config{})
	ann, _ := enter(t, url, "room", "")
	bob, _ := enter(t, url, "room", "")
	const size = 40_000
	stream, turn := offering(ann, bob, size)
	for offset := 0; offset < size; offset += 10_000 {
		ann.binary(objectChunk(stream, turn, uint64(offset), 10_000, offset+10_000 == size))
	}
	sum := sha256.Sum256(make([]byte, size))
	ann.text(fmt.Sprintf(`{"type":"finish","stream":%d,"sha256":%q}`, stream, hex.EncodeToString(sum[:])))
	hash, finish := sha256.New(), ""
	for got := 0; got < size || finish == ""; {
		_, msg, err := bob.next()
		if err != nil {
			t.Fatal(err)
		}
		if m, _ := signaling.Decode(msg); m != nil {
			if f, ok := m.(*signaling.Finish); ok {
				finish = f.SHA256
			}
			continue
		}
		if msg[0] != media.KindObject {
			continue
		}
		c, err := media.ParseObject(msg)
		if err != nil || c.Offset != uint64(got) {
			t.Fatalf("%+v at %d: %v", c, got, err)
		}
		hash.Write(c.Payload)
		got += len(c.Payload)
	}
	if hex.EncodeToString(hash.Sum(nil)) != finish {
		t.Error("the hash is wrong")
	}
	bob.text(fmt.Sprintf(`{"type":"received","stream":%d}`, stream))
	if r := await[signaling.Received](ann); r.Stream != stream {
		t.Errorf("stream %d was received", r.Stream)
	}
}

func TestObjectDataAgainstTheRulesClosesTheSender(t *testing.T) {
	_, url := start(t, Config{})
	const size = 1 << 20
	for name, c := range map[string]struct {
		say  func(p *probe, stream uint32, turn uint16)
		code signaling.CloseCode
	}{
		"beyond the credit": {func(p *probe, stream uint32, turn uint16) {
			for offset := uint64(0); offset <= 256<<10; offset += 16 << 10 {
				p.binary(objectChunk(stream, turn, offset, 16<<10, false))
			}
		}, signaling.CloseCredit},
		"a hole": {func(p *probe, stream uint32, turn uint16) {
			p.binary(objectChunk(stream, turn, 1000, 1000, false))
		}, signaling.CloseChunkOrder},
		"a last chunk in the middle": {func(p *probe, stream uint32, turn uint16) {
			p.binary(objectChunk(stream, turn, 0, 1000, true))
		}, signaling.CloseChunkOrder},
		"a turn to come": {func(p *probe, stream uint32, turn uint16) {
			p.binary(objectChunk(stream, turn+1, 0, 1000, false))
		}, signaling.CloseChunkOrder},
		"chunks of one byte": {func(p *probe, stream uint32, turn uint16) {
			p.binary(objectChunk(stream, turn, 0, 1, false))
		}, signaling.CloseBadChunk},
		"stream 0": {func(p *probe, _ uint32, turn uint16) {
			p.binary(objectChunk(0, turn, 0, 1000, false))
		}, signaling.CloseBadChunk},
		"a payload that is too long": {func(p *probe, stream uint32, turn uint16) {
			p.binary(objectChunk(stream, turn, 0, 16<<10+1, false))
		}, signaling.CloseTooLarge},
		"streams that are none": {func(p *probe, stream uint32, turn uint16) {
			for range signaling.MaxUnknownAlias {
				p.binary(objectChunk(stream+100, turn, 0, 1, false))
			}
		}, signaling.CloseFlood},
	} {
		t.Run(name, func(t *testing.T) {
			room := strings.ReplaceAll(name, " ", "-")
			ann, _ := enter(t, url, room, "")
			bob, _ := enter(t, url, room, "")
			stream, turn := offering(ann, bob, size)
			c.say(ann, stream, turn)
			if code, fatal := ann.awaitClose(); code != int(c.code) || fatal == nil || fatal.Code != c.code.Name() {
				t.Errorf("closed with %d, %+v; want %d", code, fatal, c.code)
			}
			if m := await[signaling.Cancel](bob); m.Stream != stream || m.Reason != signaling.CancelLeft {
				t.Errorf("the receiver hears %+v", m)
			}
			bob.text(`{"type":"chat","text":"still here"}`)
			await[signaling.Chat](bob)
		})
	}
}

func TestObjectRequestsAgainstTheRules(t *testing.T) {
	_, url := start(t, Config{})
	ann, _ := enter(t, url, "room", "")
	bob, joined := enter(t, url, "room", "")
	stream, _ := offering(ann, bob, 1000)
	offer := func(object, name string, size any, mime string) string {
		return fmt.Sprintf(`{"type":"offer","object":%q,"to":%q,"name":%q,"size":%v,"mime":%q}`, object, joined.Self.ID, name, size, mime)
	}
	for _, c := range []struct{ text, code string }{
		{offer("y", strings.Repeat("n", 256), 1, ""), signaling.ErrBadObject},
		{offer("y", strings.Repeat("n", 60_000), 1, ""), signaling.ErrBadObject},
		{offer("y", "../etc/passwd", 1, ""), signaling.ErrBadObject},
		{offer("y", `a\b`, 1, ""), signaling.ErrBadObject},
		{offer("y", "..", 1, ""), signaling.ErrBadObject},
		{offer("y", "", 1, ""), signaling.ErrBadObject},
		{offer("y", "a\u202eb", 1, ""), signaling.ErrBadObject},
		{offer("y", "a", uint64(1<<40+1), ""), signaling.ErrBadObject},
		{offer("", "a", 1, ""), signaling.ErrBadObject},
		{offer(strings.Repeat("y", 65), "a", 1, ""), signaling.ErrBadObject},
		{offer("y", "a", 1, strings.Repeat("m", 129)), signaling.ErrBadObject},
		{offer("x", "other", 1000, ""), signaling.ErrObjectDiffers},
		{`{"type":"offer","object":"y","to":"nobody","name":"a","size":1}`, signaling.ErrNoSuchMember},
		{`{"type":"accept","stream":77}`, signaling.ErrNoSuchStream},
		{fmt.Sprintf(`{"type":"accept","stream":%d}`, stream), signaling.ErrNoSuchStream},
		{fmt.Sprintf(`{"type":"credit","stream":%d,"offset":1}`, stream), signaling.ErrBadOffset},
		{fmt.Sprintf(`{"type":"received","stream":%d}`, stream), signaling.ErrBadOffset},
	} {
		ann.text(c.text)
		if e := await[signaling.Error](ann); e.Code != c.code || e.Fatal {
			t.Errorf("%.80s: %+v, want %s", c.text, e, c.code)
		}
	}
	for _, c := range []struct{ text, code string }{
		{fmt.Sprintf(`{"type":"accept","stream":%d}`, stream), signaling.ErrAcceptedTwice},
		{fmt.Sprintf(`{"type":"credit","stream":%d,"offset":500}`, stream), signaling.ErrBadOffset},
		{fmt.Sprintf(`{"type":"received","stream":%d}`, stream), signaling.ErrBadOffset},
		{fmt.Sprintf(`{"type":"finish","stream":%d,"sha256":"%064d"}`, stream, 0), signaling.ErrNoSuchStream},
	} {
		bob.text(c.text)
		if e := await[signaling.Error](bob); e.Code != c.code || e.Fatal {
			t.Errorf("%.80s: %+v, want %s", c.text, e, c.code)
		}
	}
}

func TestOfferNeedsTheDataGrant(t *testing.T) {
	keys := testKeys(t)
	_, url := start(t, Config{Keys: keys})
	p, _ := enter(t, url, "r", withToken(mint(t, keys, func(c *token.Claims) { c.Grants = []token.Grant{token.Subscribe} })))
	p.text(`{"type":"offer","object":"x","name":"x","size":1}`)
	if e := await[signaling.Error](p); e.Code != signaling.ErrNoGrant {
		t.Errorf("%+v", e)
	}
}
