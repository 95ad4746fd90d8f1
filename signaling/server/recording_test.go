package server

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// recorded serves with a folder of recordings.
func recorded(t *testing.T, cfg Config) (*Server, string) {
	t.Helper()
	store, err := record.Open(t.TempDir(), record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Recordings = store
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return start(t, cfg)
}

func TestRecordingIsToldToEverybody(t *testing.T) {
	_, url := recorded(t, Config{})
	ann, joined := enter(t, url, "kitchen", "")
	bob, _ := enter(t, url, "kitchen", "")
	if !strings.Contains(strings.Join(joined.Grants, " "), "record") {
		t.Errorf("grants %v", joined.Grants)
	}
	ann.text(`{"type":"record","req":3}`)
	if e := await[signaling.Error](ann); e.Code != signaling.ErrNotRecorded || e.Req != 3 {
		t.Errorf("%+v", e)
	}
	ann.text(`{"type":"record","on":true}`)
	began := await[signaling.Recording](bob)
	if began.State != record.StateRecording || began.By != joined.Self.ID || began.SinceUs == 0 {
		t.Errorf("%+v", began)
	}
	await[signaling.Recording](ann)
	late, _ := enter(t, url, "kitchen", "")
	if told := await[signaling.Recording](late); *told != *began {
		t.Errorf("one who comes later is told %+v, not %+v", told, began)
	}
	bob.text(`{"type":"record","req":4,"on":true}`)
	if e := await[signaling.Error](bob); e.Code != signaling.ErrRecordingRuns || e.Req != 4 {
		t.Errorf("%+v", e)
	}
	bob.text(`{"type":"record"}`)
	if over := await[signaling.Recording](late); over.State != record.StateEnding {
		t.Errorf("%+v", over)
	}
	if empty := await[signaling.Recording](late); empty.State != record.StateFailed || empty.Why != record.WhyNothing {
		t.Errorf("%+v", empty)
	}
}

// By the message as by HTTP, who records may ask for a file of each member.
func TestFilesOfMembersAreAskedFor(t *testing.T) {
	srv, url := recorded(t, Config{})
	api := strings.TrimSuffix(strings.Replace(url, "ws", "http", 1), "/ws") + "/api/recordings"
	begin := map[string]func(p *probe, room string){
		"message": func(p *probe, _ string) { p.text(`{"type":"record","on":true,"perMember":true}`) },
		"HTTP": func(_ *probe, room string) {
			resp, err := http.Post(api, "application/json", strings.NewReader(`{"room":"`+room+`","perMember":true}`))
			if err != nil || resp.StatusCode != http.StatusCreated {
				t.Fatal(resp, err)
			}
			resp.Body.Close()
		},
	}
	for room, ask := range begin {
		ann, joined := enter(t, url, room, `"name":"Ann","publish":[`+mic+`]`)
		ask(ann, room)
		id := await[signaling.Recording](ann).ID
		for n := range uint32(10) {
			ann.binary(audio(joined.Self.Tracks[0].Layers[0].Alias, n, []byte("opus")))
		}
		ann.text(`{"type":"record"}`)
		for await[signaling.Recording](ann).State != record.StateSaved {
		}
		info, err := srv.cfg.Recordings.Get(id)
		if err != nil || len(info.Files) != 1 || len(info.Members) != 1 || info.Members[0].MemberName != "Ann" || info.Members[0].Member != joined.Self.ID {
			t.Fatalf("by %s: %+v, %v", room, info, err)
		}
		for member, want := range map[string]int{joined.Self.ID: http.StatusOK, "nobody": http.StatusNotFound} {
			resp, err := http.Get(api + "/" + id + "/file?part=1&member=" + member)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != want || want == http.StatusOK && int64(len(body)) != info.Members[0].Bytes {
				t.Errorf("by %s, of %s: %s, %d bytes", room, member, resp.Status, len(body))
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestRecordingNeedsItsGrant(t *testing.T) {
	keys, err := token.ParseKeys([]string{"main:a secret of sixteen bytes"})
	if err != nil {
		t.Fatal(err)
	}
	mint := func(room string, grants ...token.Grant) string {
		signed, err := keys.Mint(token.Claims{Room: room, Identity: "ann", Grants: grants, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		keepSecret(signed)
		return signed
	}
	_, url := recorded(t, Config{Keys: keys})
	p, _ := enter(t, url, "kitchen", `"token":"`+mint("kitchen", token.Publish)+`"`)
	p.text(`{"type":"record","req":3,"on":true}`)
	if e := await[signaling.Error](p); e.Code != signaling.ErrNoGrant {
		t.Errorf("%+v", e)
	}
	api := strings.TrimSuffix(strings.Replace(url, "ws", "http", 1), "/ws") + "/api/recordings"
	const id, body = "/20251121-044000-kitchen-5f0c21ab", `{"room":"kitchen"}`
	for _, c := range []struct {
		method, path, body, token, origin string
		want                              int
	}{
		{"POST", "", body, "", "", 401},
		{"POST", "", body, mint("kitchen", token.Publish, token.Admin), "", 403},
		{"POST", "", body, mint("other", token.Record), "", 401},
		{"POST", "", body, mint("kitchen", token.Record), "https://evil.example", 403},
		{"POST", "", `{"room":"../x"}`, mint("*", token.Record), "", 400},
		{"GET", "", "", mint("kitchen", token.Record), "", 401},
		{"GET", "?room=kitchen", "", mint("kitchen", token.Record), "", 200},
		{"GET", "", "", mint("*", token.Record), "", 200},
		{"GET", id, "", "", "", 401},
		{"GET", id, "", mint("other", token.Record), "", 401},
		{"GET", id, "", mint("kitchen", token.Record), "", 404},
		{"GET", id + "/file", "", mint("kitchen", token.Subscribe), "", 403},
		{"GET", id + "/file?member=ann", "", mint("kitchen", token.Subscribe), "", 403},
		{"GET", id + "/still", "", mint("kitchen", token.Subscribe), "", 403},
		{"GET", id + "/still", "", mint("kitchen", token.Record), "", 404},
		{"DELETE", id, "", mint("kitchen", token.Record), "", 404},
		{"DELETE", "/..%2f..%2fetc", "", mint("*", token.Record), "", 404},
		{"POST", "", body, mint("kitchen", token.Record), "", 201},
		{"POST", "", body, mint("kitchen", token.Record), "", 409},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, api+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %q %s: %d, want %d: %s", c.method, c.path, c.origin, resp.StatusCode, c.want, said)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
