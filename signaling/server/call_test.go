package server

import (
	"bytes"
	"testing"

	"landline/media"
	"landline/signaling"
)

func TestMediaGoesThroughUnchanged(t *testing.T) {
	_, url := start(t, Config{Version: "test"})
	bob, _ := enter(t, url, "kitchen", `"name":"Bob","subscribe":[{}]`)
	ann, joined := enter(t, url, "kitchen", `"name":"Ann","publish":[`+camera+`,`+mic+`]`)
	if len(joined.Self.Tracks) != 2 || len(joined.Members) != 1 || joined.Members[0].Name != "Bob" {
		t.Fatalf("joined: %+v", joined)
	}
	camAlias, micAlias := joined.Self.Tracks[0].Layers[0].Alias, joined.Self.Tracks[1].Layers[0].Alias
	var sent [][]byte
	for f := range uint16(4) {
		sent = append(sent, frames(camAlias, 1, f, 9000)...)
	}
	for _, m := range sent {
		ann.binary(m)
	}
	added := await[signaling.TrackAdded](bob)
	if added.Type != "trackAdded" || added.Track.ID != "camera" {
		t.Fatalf("first announcement: %+v", added)
	}
	for i, want := range sent {
		if got := bob.awaitWhole(len(want)); !bytes.Equal(got, want) {
			t.Fatalf("message %d differs: %x… for %x…", i, got[:20], want[:20])
		}
	}
	packet := audio(micAlias, 1, []byte("opus"))
	ann.binary(packet)
	if got := bob.awaitMedia(); !bytes.Equal(got, packet) {
		t.Fatalf("audio differs: %x", got)
	}
	ann.binary(media.Control{Kind: media.KindEnd, Alias: micAlias, Group: 1, Frame: 1}.Append(nil))
	if got := bob.awaitMedia(); got[0] != media.KindEnd {
		t.Fatalf("no End but %x", got)
	}
	if r := await[signaling.TrackRemoved](bob); r.Track != "mic" || r.Reason != "ended" {
		t.Fatalf("removed: %+v", r)
	}
	ann.text(`{"type":"bye"}`)
	if code, _ := ann.awaitClose(); code != 1000 {
		t.Fatalf("bye answered with %d", code)
	}
	if left := await[signaling.MemberLeft](bob); left.ID != joined.Self.ID || left.Reason != "bye" {
		t.Fatalf("left: %+v", left)
	}
}

func TestLateJoinerGetsTheCurrentGroupAtOnce(t *testing.T) {
	_, url := start(t, Config{})
	ann, joined := enter(t, url, "r", `"publish":[`+camera+`]`)
	alias := joined.Self.Tracks[0].Layers[0].Alias
	var want [][]byte
	for f := range uint16(30) {
		for _, m := range frames(alias, 7, f, 5000) {
			want = append(want, m)
			ann.binary(m)
		}
	}
	ann.text(`{"type":"chat","req":3,"text":"sent"}`)
	if c := await[signaling.Chat](ann); c.Req != 3 {
		t.Fatalf("chat: %+v", c)
	}
	bob, _ := enter(t, url, "r", `"subscribe":[{}]`)
	if m, err := media.ParseControl(bob.awaitMedia()); err != nil || m.Kind != media.KindCatchUp || m.Code != 1 || m.Frame != 30 {
		t.Fatalf("marker %+v, %v", m, err)
	}
	for i := range want {
		if got := bob.awaitWhole(len(want[i])); !bytes.Equal(got, want[i]) {
			t.Fatalf("message %d of the burst differs", i)
		}
	}
	if m, err := media.ParseControl(bob.awaitMedia()); err != nil || m.Kind != media.KindCatchUp || m.Code != 0 {
		t.Fatalf("end marker %+v, %v", m, err)
	}
}

func TestChatReachesEverybodyInOrder(t *testing.T) {
	_, url := start(t, Config{})
	a, _ := enter(t, url, "r", `"name":"A"`)
	b, _ := enter(t, url, "r", `"name":"B"`)
	a.text(`{"type":"chat","text":"one","req":5}`)
	if c := await[signaling.Chat](b); c.Text != "one" || c.Name != "A" || c.Seq != 1 || c.Req != 0 || c.AtUs == 0 {
		t.Fatalf("%+v", c)
	}
	b.text(`{"type":"chat","text":"two"}`)
	if c := await[signaling.Chat](a); c.Text != "one" || c.Req != 5 {
		t.Fatalf("own copy: %+v", c)
	}
	if c := await[signaling.Chat](a); c.Text != "two" || c.Seq != 2 {
		t.Fatalf("%+v", c)
	}
	a.text(`{"type":"chat","text":"","req":6}`)
	if e := await[signaling.Error](a); e.Code != signaling.ErrBadChat || e.Req != 6 || e.Fatal {
		t.Fatalf("%+v", e)
	}
}

func TestServerAcknowledgesWhatItReceived(t *testing.T) {
	_, url := start(t, Config{})
	p, joined := enter(t, url, "r", `"publish":[`+mic+`]`)
	p.noAcks = true
	for g := range uint32(10) {
		p.binary(audio(joined.Self.Tracks[0].Layers[0].Alias, g, make([]byte, 100)))
	}
	var last uint64
	for {
		kind, msg, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind != 2 {
			continue
		}
		ack, err := media.ParseAck(msg)
		if err != nil || ack.Bytes < last || ack.Time == 0 {
			t.Fatalf("ack %+v after %d, %v", ack, last, err)
		}
		if last = ack.Bytes; last >= 10*120 {
			return
		}
	}
}

func TestResumeIsSeamlessAndSingleUse(t *testing.T) {
	_, url := start(t, Config{})
	bob, _ := enter(t, url, "r", `"name":"Bob","subscribe":[{}]`)
	ann, first := enter(t, url, "r", `"name":"Ann","publish":[`+camera+`]`)
	alias := first.Self.Tracks[0].Layers[0].Alias
	for _, m := range frames(alias, 1, 0, 100) {
		ann.binary(m)
	}
	ann.binary(frames(alias, 1, 1, 9000)[0]) // breaks off in the middle of a frame
	bob.awaitMedia()
	bob.awaitMedia()
	_ = ann.ws.NetConn().Close()
	if s := await[signaling.MemberState](bob); s.ID != first.Self.ID || s.State != signaling.Reconnecting {
		t.Fatalf("%+v", s)
	}
	if c, err := media.ParseControl(bob.awaitMedia()); err != nil || c.Kind != media.KindAbandon || c.Code != byte(media.DropLost) || c.Frame != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	again, second := enter(t, url, "r", `"resume":"`+first.Resume+`"`)
	if !second.Resumed || second.Self.ID != first.Self.ID || second.Self.Tracks[0].Layers[0].Alias != alias || second.Resume == first.Resume {
		t.Fatalf("%+v", second)
	}
	if s := await[signaling.MemberState](bob); s.State != signaling.Online {
		t.Fatalf("%+v", s)
	}
	for _, m := range frames(alias, 2, 0, 100) {
		again.binary(m)
	}
	if c, err := media.ParseChunk(bob.awaitMedia()); err != nil || c.Group != 2 {
		t.Fatalf("%+v, %v", c.ChunkHeader, err)
	}
	thief := dial(t, url)
	thief.text(`{"type":"hello","version":1,"decode":{"ws":[]}}`)
	thief.text(`{"type":"join","room":"r","req":1,"resume":"` + first.Resume + `"}`)
	if e := await[signaling.Error](thief); e.Code != signaling.ErrResumeRefused || e.Fatal || e.Req != 1 {
		t.Fatalf("replay: %+v", e)
	}
	thief.text(`{"type":"join","room":"r","name":"New"}`)
	if j := await[signaling.Joined](thief); j.Resumed || j.Self.ID == first.Self.ID {
		t.Fatalf("%+v", j)
	}
}
