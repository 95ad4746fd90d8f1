package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/media/webm"
	"landline/relay/play"
	"landline/relay/record"
	"landline/signaling"
	"landline/signaling/token"
)

// kept is a recording of the room kitchen.
const kept = "20251121-044000-kitchen-5f0c21ab"

// playing serves with that recording: the sound of the test clip.
func playing(t *testing.T, cfg Config) (api, ws string) {
	t.Helper()
	dir := t.TempDir()
	in, err := os.Open("../../testdata/bunny-4s.webm")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := webm.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, kept+".webm"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := webm.NewGrowing(f, true)
	if err != nil {
		t.Fatal(err)
	}
	added := false
	for p, err := r.Next(); err == nil; p, err = r.Next() {
		if r.Formats()[p.Track].Kind != media.Audio {
			continue
		}
		if !added {
			if _, err := g.Add(r.Formats()[p.Track], "Ann", p.Frame); err != nil {
				t.Fatal(err)
			}
			added = true
		}
		if err := g.Write(media.Packet{Frame: p.Frame}); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := record.Open(dir, record.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := store.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	cfg.Recordings = store
	_, ws = start(t, cfg)
	return strings.TrimSuffix(strings.Replace(ws, "ws", "http", 1), "/ws") + "/api/", ws
}

// asked makes a request and wants a status.
func asked(t *testing.T, method, url, body, bearer string, want int) (said string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want {
		t.Errorf("%s %q %s: %d, want %d: %s", method, url, body, resp.StatusCode, want, b)
	}
	return string(b)
}

func TestPlaybackIsToldToEverybody(t *testing.T) {
	api, ws := playing(t, Config{})
	ann, _ := enter(t, ws, "hall", "")
	const order = `{"recording":"` + kept + `","positionMs":1000,"loop":true}`
	var answered signaling.Playback
	if err := json.Unmarshal([]byte(asked(t, "PUT", api+"playback/hall", order, "", 201)), &answered); err != nil {
		t.Fatal(err)
	}
	began := await[signaling.Playback](ann)
	if !began.Playing || !began.Loop || began.Over || began.LengthMs < 3900 || began.PositionMs > 1000 || began.PositionMs < 400 || answered.Recording != kept {
		t.Errorf("it begins with %+v, and who asked is answered %+v", began, answered)
	}
	played := await[signaling.MemberJoined](ann)
	if !strings.HasPrefix(played.Member.ID, "p-") || played.Member.Name != "Recording" {
		t.Errorf("who is played is %+v", played.Member)
	}
	asked(t, "PATCH", api+"playback/hall", `{"playing":false,"positionMs":2000}`, "", 200)
	paused := await[signaling.Playback](ann)
	if paused.Playing || !paused.Loop || paused.PositionMs > 2000 || paused.PositionMs < 1400 {
		t.Errorf("paused elsewhere: %+v", paused)
	}
	late, _ := enter(t, ws, "hall", "")
	if told := await[signaling.Playback](late); told.PositionMs != paused.PositionMs || told.Playing || told.AtUs < paused.AtUs {
		t.Errorf("one who comes later is told %+v, not %+v", told, paused)
	}
	asked(t, "DELETE", api+"recordings/"+kept, "", "", 409)
	asked(t, "DELETE", api+"playback/hall", "", "", 204)
	for _, c := range []*probe{ann, late} {
		if over := await[signaling.Playback](c); !over.Over || over.Why != play.WhyStopped {
			t.Errorf("in the end it is %+v", over)
		}
	}
	asked(t, "GET", api+"playback/hall", "", "", 404)
}

func TestPlaybackThatCannotBe(t *testing.T) {
	api, _ := playing(t, Config{})
	for _, c := range []struct {
		method, room, body string
		want               int
	}{
		{"PUT", "hall", `{"recording":"20251121-044000-kitchen-00000000"}`, 404},
		{"PUT", "hall", `{"recording":"../../etc/passwd"}`, 404},
		{"PUT", "hall", `{"recording":"` + kept + `","positionMs":-1}`, 400},
		{"PUT", "hall", `{"recording":"` + kept + `","positionMs":1e300}`, 400},
		{"PUT", "hall", `{"recording":`, 400},
		{"PUT", "hall", `{"recording":"` + strings.Repeat("x", maxRequest) + `"}`, 400},
		{"PUT", "%2e%2e", `{"recording":"` + kept + `"}`, 400},
		{"PATCH", "hall", `{"playing":true}`, 404},
		{"GET", "hall", "", 404},
		{"DELETE", "hall", "", 404},
		{"PUT", "hall", `{"recording":"` + kept + `","positionMs":999999999,"paused":true}`, 201},
		{"PATCH", "hall", `{"positionMs":-5}`, 400},
		{"PATCH", "hall", `{"positionMs":0}`, 200},
		{"PUT", "hall", `{"recording":"` + kept + `","next":["../x"]}`, 404},
		{"PATCH", "hall", `{"skip":true}`, 409},
		{"PATCH", "hall", `{"next":["` + kept + strings.Repeat(`","`+kept, 32) + `"]}`, 413},
		{"PATCH", "hall", `{"next":["` + kept + `"],"skip":true}`, 200},
	} {
		asked(t, c.method, api+"playback/"+c.room, c.body, "", c.want)
	}
}

func TestPlaybackNeedsItsGrants(t *testing.T) {
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
	api, _ := playing(t, Config{Keys: keys})
	const order = `{"recording":"` + kept + `"}`
	for _, c := range []struct {
		method, room, body, token string
		want                      int
	}{
		{"PUT", "kitchen", order, "", 401},
		{"PUT", "kitchen", order, mint("kitchen", token.Publish, token.Subscribe), 403},
		{"PUT", "hall", order, mint("hall", token.Record), 401}, // it was recorded elsewhere
		{"PUT", "hall", order, mint("kitchen", token.Record), 401},
		{"PUT", "kitchen", order, mint("kitchen", token.Record), 201},
		{"PUT", "hall", order, mint("*", token.Record), 201},
		{"PATCH", "hall", `{"playing":false}`, mint("hall", token.Record), 200},
		{"PATCH", "hall", `{"playing":false}`, mint("kitchen", token.Record), 401},
		{"GET", "hall", "", mint("hall", token.Subscribe), 403},
		{"PATCH", "hall", `{"next":["` + kept + `"]}`, mint("hall", token.Record), 401}, // this, too, was recorded elsewhere
		{"PATCH", "hall", `{"next":["` + kept + `"]}`, mint("*", token.Record), 200},
		{"DELETE", "hall", "", mint("hall", token.Record), 204},
	} {
		asked(t, c.method, api+"playback/"+c.room, c.body, c.token, c.want)
	}
}

func TestAFileIsAddedAndPlayed(t *testing.T) {
	api, ws := playing(t, Config{})
	whole, err := os.ReadFile("../../testdata/bunny-4s.webm")
	if err != nil {
		t.Fatal(err)
	}
	film := string(whole)
	for _, c := range []struct {
		query, body string
		want        int
	}{
		{"room=hall&title=A+film", film, 201},
		{"room=../hall", film, 400},
		{"room=hall&title=a%07b", film, 400},
		{"room=hall", "not a film", 415},
		{"room=hall", "", 415},
		{"room=hall", film[:300], 415},
	} {
		said := asked(t, "POST", api+"recordings/upload?"+c.query, c.body, "", c.want)
		if c.want != 201 {
			continue
		}
		var info record.Info
		if err := json.Unmarshal([]byte(said), &info); err != nil || info.Title != "A film" || info.Room != "hall" {
			t.Fatalf("%s: %v", said, err)
		}
		ann, _ := enter(t, ws, "hall", "")
		asked(t, "PUT", api+"playback/hall", `{"recording":"`+info.ID+`"}`, "", 201)
		if p := await[signaling.Playback](ann); p.Title != "A film" || p.Recording != info.ID {
			t.Errorf("%+v", p)
		}
		if m := await[signaling.MemberJoined](ann); m.Member.Name != "A film" {
			t.Errorf("%+v", m)
		}
	}
}
