package server

import (
	"bytes"
	"fmt"
	"testing"

	"landline/media"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// keptFile is the file of the recording kept, read over the API that everybody knows.
func keptFile(t *testing.T, api, bearer string) []byte {
	t.Helper()
	return []byte(asked(t, "GET", api+"recordings/"+kept+"/file", "", bearer, 200))
}

// readOn takes chunks of a stream up to the end of a file, and gives credit for each.
func readOn(p *probe, stream uint32, from int) (got []byte) {
	p.t.Helper()
	for {
		msg := p.awaitMedia()
		c, err := media.ParseObject(msg)
		if err != nil || c.Stream != stream || c.Offset != uint64(from+len(got)) {
			p.t.Fatalf("%d bytes of stream %d at %d (%v), and the next are at %d", len(c.Payload), c.Stream, c.Offset, err, from+len(got))
		}
		if got = append(got, c.Payload...); c.Last {
			return got
		}
		p.text(fmt.Sprintf(`{"type":"credit","stream":%d,"offset":%d}`, stream, from+len(got)))
	}
}

func TestARecordingIsWatchedAlone(t *testing.T) {
	api, ws := playing(t, Config{})
	want := keptFile(t, api, "")
	ann, _ := enter(t, ws, "kitchen", "")
	p, joined := enter(t, ws, "recordings/"+kept, `"name":"Ben","publish":[`+mic+`]`)
	if len(joined.Members) != 0 || len(joined.Grants) != 0 {
		t.Errorf("joined: %+v", joined)
	}
	file := await[signaling.Offered](p)
	if file.From != "" || file.Name != kept+".webm" || file.Size != uint64(len(want)) || file.MIME != "video/webm" || file.Part != 1 || file.Parts != 1 {
		t.Fatalf("%+v", file)
	}
	for _, from := range []int{0, len(want) / 2, 7, 0} {
		p.text(fmt.Sprintf(`{"type":"accept","stream":%d,"offset":%d}`, file.Stream, from))
		if got := readOn(p, file.Stream, from); !bytes.Equal(got, want[from:]) {
			t.Errorf("from %d: %d bytes, not the file's %d", from, len(got), len(want)-from)
		}
	}
	for _, say := range []string{`{"type":"chat","text":"hello"}`, `{"type":"publish","tracks":[` + mic + `]}`, `{"type":"subscribe"}`,
		`{"type":"offer","object":"x","name":"x","size":1}`, `{"type":"record","on":true}`} {
		p.text(say)
		if e := await[signaling.Error](p); e.Code != signaling.ErrNoGrant {
			t.Errorf("%s: %+v", say, e)
		}
	}
	p.text(fmt.Sprintf(`{"type":"accept","req":5,"stream":%d,"offset":%d}`, file.Stream, len(want)+1))
	if e := await[signaling.Error](p); e.Code != signaling.ErrBadOffset || e.Req != 5 {
		t.Errorf("%+v", e)
	}
	bea, _ := enter(t, ws, "kitchen", `"name":"Bea"`)
	if m := await[signaling.MemberJoined](ann); m.Member.Name != "Bea" { // Ben came before, and nobody was told
		t.Errorf("%+v", m)
	}
	bea.text(`{"type":"bye"}`)
}

func TestWatchingARecordingNeedsTheGrantOfItsRoom(t *testing.T) {
	keys := testKeys(t)
	_, ws := playing(t, Config{Keys: keys})
	minted := func(room string, grants ...token.Grant) string {
		return mint(t, keys, func(c *token.Claims) { c.Room, c.Grants = room, grants })
	}
	const other = "20251121-044000-kitchen-00000000"
	for _, c := range []struct {
		recording, token string
		want             signaling.CloseCode
	}{
		{kept, "", signaling.CloseBadToken},
		{kept, minted("hall", token.Record), signaling.CloseForbidden},
		{kept, minted("kitchen", token.Publish, token.Subscribe, token.Data, token.Admin), signaling.CloseForbidden},
		{other, minted("hall", token.Record), signaling.CloseForbidden},
		{other, minted("kitchen", token.Record), signaling.CloseNoSuchRecording},
		{"20251121-044000-hall-00000000", minted("*", token.Record), signaling.CloseNoSuchRecording},
		{"no-id", minted("*", token.Record), signaling.CloseNoSuchRecording},
		{"..%2f..%2fetc", minted("*", token.Record), signaling.CloseBadMessage},
	} {
		p := dial(t, ws)
		p.text(`{"type":"hello","version":1,"decode":{"ws":["opus"]}}`)
		p.text(fmt.Sprintf(`{"type":"join","room":%q,"token":%q}`, "recordings/"+c.recording, c.token))
		if code, _ := p.awaitClose(); code != int(c.want) {
			t.Errorf("%s with %q: %d, want %d", c.recording, c.token, code, c.want)
		}
	}
	one := minted("kitchen", token.Record)
	first, _ := enter(t, ws, "recordings/"+kept, `"token":"`+one+`"`)
	second, _ := enter(t, ws, "recordings/"+kept, `"token":"`+one+`"`)
	for _, p := range []*probe{first, second} { // one token is good for several
		file := await[signaling.Offered](p)
		p.text(fmt.Sprintf(`{"type":"accept","stream":%d}`, file.Stream))
		readOn(p, file.Stream, 0)
	}
}

// TestWithoutKeysOnlyThisMachineWatches: nor does a recording that goes on, or a server without any, let anybody watch.
func TestWithoutKeysOnlyThisMachineWatches(t *testing.T) {
	s, _ := recorded(t, Config{})
	join := &signaling.Join{Room: "recordings/" + kept}
	refused := func(s *Server, remote string, want signaling.CloseCode) {
		t.Helper()
		_, err := s.admitViewer(&Session{remote: remote}, join, signaling.RecordingOf(join.Room))
		if closed, ok := err.(*signaling.Closed); !ok || closed.Code != want {
			t.Errorf("%s from %s: %v, want %d", join.Room, remote, err, want)
		}
	}
	refused(s, "192.0.2.7:5", signaling.CloseForbidden)
	refused(s, "127.0.0.1:5", signaling.CloseNoSuchRecording)
	rec, err := s.cfg.Recordings.Start(s.relay, record.Order{Room: "kitchen"})
	if err != nil {
		t.Fatal(err)
	}
	join.Room = "recordings/" + rec.ID()
	refused(s, "127.0.0.1:5", signaling.CloseNoSuchRecording)
	none, _ := start(t, Config{})
	refused(none, "127.0.0.1:5", signaling.CloseNoSuchRecording)
}

// TestAViewerGoesOnAfterItsConnection: the file is offered again, and read on where it was, though it was removed meanwhile.
func TestAViewerGoesOnAfterItsConnection(t *testing.T) {
	api, ws := playing(t, Config{})
	want := keptFile(t, api, "")
	p, joined := enter(t, ws, "recordings/"+kept, "")
	file := await[signaling.Offered](p)
	p.text(fmt.Sprintf(`{"type":"accept","stream":%d}`, file.Stream))
	first, err := media.ParseObject(p.awaitMedia())
	if err != nil {
		t.Fatal(err)
	}
	_ = p.ws.Close()
	asked(t, "DELETE", api+"recordings/"+kept, "", "", 204)
	again, rejoined := enter(t, ws, "recordings/"+kept, `"resume":"`+joined.Resume+`"`)
	if !rejoined.Resumed {
		t.Fatalf("%+v", rejoined)
	}
	file = await[signaling.Offered](again)
	at := len(first.Payload)
	again.text(fmt.Sprintf(`{"type":"accept","stream":%d,"offset":%d}`, file.Stream, at))
	if got := readOn(again, file.Stream, at); !bytes.Equal(got, want[at:]) {
		t.Errorf("%d bytes, not the file's last %d", len(got), len(want)-at)
	}
}
