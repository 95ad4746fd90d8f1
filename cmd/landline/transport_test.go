package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"landline/signaling/rtc"
	"landline/signaling/server"
)

// rtcPort is the WebRTC side of a relay in this process.
func rtcPort(t *testing.T) *rtc.Port { return rtcPortAt(t) }

// rtcPortAt is one that announces other addresses.
func rtcPortAt(t *testing.T, addresses ...string) *rtc.Port {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port, err := rtc.NewPort(rtc.Config{Conn: conn, Addresses: addresses, Faults: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(port.Close)
	return port
}

// beginOver streams a file by one path to a watch by another.
func beginOver(t *testing.T, url, in, out, up, down string) *transfer {
	t.Helper()
	x := &transfer{in: in, out: out, url: url}
	x.watch = launch(t, nil, "watch", "--url", url, "--room", "lab", "--member", "src", "--transport", down, "--out", out, "--json")
	until(t, "watch by "+down, func() bool {
		list := membersOf(t, url)
		return len(list) == 1 && (down == "ws" || list[0].Transport == "websocket+webrtc")
	})
	x.stream = launch(t, nil, "stream", in, "--url", url, "--room", "lab", "--name", "src", "--transport", up, "--json")
	return x
}

// mediaBytes reads a relay's counters of media bytes.
func mediaBytes(t *testing.T, url, way, path string) uint64 {
	t.Helper()
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(fmt.Sprintf(`landline_media_bytes_%s_total{path="%s"} (\S+)`, way, path)).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("no counter of bytes %s by %s", way, path)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(n)
}

// What is streamed by either path is saved by either, frame by frame, and the relay's counters say which path it was.
func TestEveryPathCarriesTheSameFrames(t *testing.T) {
	const vp8 = "-t 2 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 300k -g 25"
	const opus = " -c:a libopus -b:a 64k"
	for _, c := range []struct{ args, in, up, down string }{
		{vp8 + opus, ".webm", "ws", "webrtc"}, {vp8 + opus, ".webm", "webrtc", "ws"}, {vp8 + opus, ".webm", "webrtc", "webrtc"},
		{"-t 2 -an -c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -arnr-maxframes 5 -b:v 300k -g 40", ".webm", "webrtc", "webrtc"},
		{"-t 2 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25" + opus, ".webm", "webrtc", "webrtc"},
		{"-t 2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25" + opus, ".mkv", "webrtc", "webrtc"},
		{"-t 1.5 -s 160x90 -c:v libsvtav1 -preset 12 -g 15" + opus, ".mkv", "webrtc", "webrtc"},
	} {
		in := clip(t, "in"+c.in, strings.Fields(c.args)...)
		t.Run(strings.Join([]string{strings.Fields(c.args)[3], c.up, c.down}, " "), func(t *testing.T) {
			url := relayWith(t, server.Config{WebRTC: rtcPort(t)})
			x := beginOver(t, url, in, filepath.Join(t.TempDir(), "out"+c.in), c.up, c.down)
			sent, saved := x.finish(t)
			samePackets(t, x.in, x.out, 0)
			sameCounts(t, sent, saved)
			for i, s := range sent.Tracks {
				if (s.Path.WebRTC == s.Frames) != (c.up == "webrtc") || (saved.Tracks[i].Path.WebRTC == s.Frames) != (c.down == "webrtc") {
					t.Errorf("up %s: %+v; down %s: %+v", c.up, s.Path, c.down, saved.Tracks[i].Path)
				}
			}
			names := map[string]string{"ws": "websocket", "webrtc": "webrtc"}
			for path, name := range names {
				if in := mediaBytes(t, url, "in", name); (in > 0) != (path == c.up) {
					t.Errorf("%d bytes came by %s, sent by %s", in, path, c.up)
				}
				if out := mediaBytes(t, url, "out", name); (out > 0) != (path == c.down) {
					t.Errorf("%d bytes went by %s, received by %s", out, path, c.down)
				}
			}
		})
	}
}

// When UDP is gone in the middle, the rest goes by the WebSocket: also when nobody says so, and packets do not come any more.
func TestTheWebSocketTakesOver(t *testing.T) {
	in := clip(t, "in.webm", strings.Fields("-t 4 -c:v libvpx -deadline realtime -cpu-used 8 -b:v 300k -g 10 -c:a libopus")...)
	for name, end := range map[string]func(*rtc.Port){"closed": (*rtc.Port).Close, "cut": func(p *rtc.Port) { p.CutUDP(true) }} {
		t.Run(name, func(t *testing.T) {
			port := rtcPort(t)
			url := relayWith(t, server.Config{WebRTC: port})
			x := beginOver(t, url, in, filepath.Join(t.TempDir(), "out.mkv"), "webrtc", "webrtc")
			until(t, "media by WebRTC", func() bool { return mediaBytes(t, url, "out", "webrtc") > 20_000 })
			end(port)
			sent, saved := x.finish(t)
			for i, s := range sent.Tracks {
				got := saved.Tracks[i]
				if s.Path.WebRTC == 0 || s.Path.WebSocket == 0 || got.Path.WebRTC == 0 || got.Path.WebSocket == 0 {
					t.Errorf("sent %+v, received %+v", s.Path, got.Path)
				}
				if got.Frames*10 < s.Frames*7 {
					t.Errorf("%d frames of %d", got.Frames, s.Frames)
				}
			}
			decodesClean(t, x.out)
		})
	}
}

func TestARelayWithoutWebRTCSaysSo(t *testing.T) {
	url := relayFor(t)
	_, stderr, code := launch(t, nil, "watch", "--url", url, "--room", "lab", "--transport", "webrtc", "--out", filepath.Join(t.TempDir(), "x.mkv")).wait(t)
	if code == 0 || !strings.Contains(stderr, "no WebRTC") {
		t.Errorf("code %d: %s", code, stderr)
	}
}

func TestAddressesOfWebRTCAreChecked(t *testing.T) {
	for _, args := range [][]string{{"--rtc-addr", "calls.example.org"}, {"--rtc=off", "--rtc-addr", "192.0.2.1"}, {"--rtc=maybe"}} {
		if _, stderr, code := invoke(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...); code == 0 || !strings.Contains(stderr, "rtc") {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}

// The UDP port has the number of the TCP port, and is announced under the address that was asked for.
func TestServeOpensTheUDPPortOfTheSameNumber(t *testing.T) {
	for flag, wants := range map[string]bool{"--rtc=on": true, "--rtc=off": false} {
		j := launch(t, nil, "serve", "--listen", "127.0.0.1:0", flag)
		line := j.out.line(t, "Landline is ready")
		addr := line[strings.LastIndex(line, "http://")+len("http://"):]
		udp, err := net.ResolveUDPAddr("udp", strings.TrimSpace(addr))
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := net.ListenUDP("udp", udp); (err != nil) != wants {
			t.Errorf("%s: %s by UDP: %v", flag, addr, err)
		} else if err == nil {
			conn.Close()
		}
		if wants != strings.Contains(j.errs.String(), `"addresses":"127.0.0.1"`) {
			t.Errorf("%s: %s", flag, j.errs.String())
		}
	}
}
