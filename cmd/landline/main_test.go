package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"

	"landline/signaling/token"
)

// childEnv makes the test binary be something else: the program itself, or one that is slow to end.
const childEnv = "LANDLINE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "landline":
		main()
	case "slow":
		ctx := untilSignal()
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("draining")
		select {}
	}
	// The test authority's worker has no end of its own.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"))
}

// invoke runs a command line as main does.
func invoke(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = report(&errs, run(t.Context(), args, strings.NewReader(""), &out, &errs))
	return out.String(), errs.String(), code
}

const testKey = "main:hunter2hunter2hunter2"

func TestExitCodesAndReasons(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		args   string
		code   int
		reason string // part of the one line on stderr
	}{
		{"version", 0, ""},
		{"--help", 0, ""},
		{"serve --help", 0, ""},
		{"", 2, "expected one of"},
		{"dance", 2, "unexpected argument dance"},
		{"version --nonsense", 2, "unknown flag --nonsense"},
		{"version --log-level loud", 2, "--log-level must be one of"},
		{"token --room kitchen --key " + testKey, 2, "--identity"},
		{"token --room kitchen --identity ann", 2, "--key id:secret"},
		{"token --room kitchen --identity ann --key main:short", 2, "at least 16"},
		{"token --room a/b --identity ann --key " + testKey, 2, "room"},
		{"token --room kitchen --identity ann --grant sing --key " + testKey, 2, `unknown grant "sing"`},
		{"token --room kitchen --identity ann --ttl 0s --key " + testKey, 2, "--ttl"},
		{"serve --key nonsense", 2, "id:secret"},
		{"serve --drain -1s", 2, "--drain"},
		{"serve --tls-cert a.pem", 2, "go together"},
		{"serve --tls maybe", 2, "--tls"},
		{"serve --tls auto", 2, "--domain"},
		{"serve --domain example.org", 2, "--tls auto"},
		{"serve --tls self --tls-cert a.pem --tls-key b.pem", 2, "leave out"},
		{"serve --allow-origin example.org", 2, "scheme"},
		{"serve --allow-origin https://example.org/path", 2, "scheme"},
		{"serve --listen 127.0.0.1:notaport", 1, "notaport"},
		{"serve --listen 127.0.0.1:0 --tls-cert none.pem --tls-key none.pem", 1, "none.pem"},
		{"serve --listen 0.0.0.0:0", 1, "--open"},
		{"stream --room r", 2, "nothing to stream"},
		{"stream none.webm --room r", 1, "none.webm"},
		{"stream a.webm --test-pattern --room r", 2, "one of them"},
		{"stream a.webm - --room r", 2, "standard input goes alone"},
		{"stream - --loop --room r", 2, "cannot begin again"},
		{"stream --test-pattern --loop --room r", 2, "what is live"},
		{"stream --device /dev/video0 --room r", 2, "KIND:NAME"},
		{"stream --device http://127.0.0.1 --room r", 2, "kinds are alsa"},
		{"stream --device a --device b --device c --room r", 2, "KIND:NAME"},
		{"send none.bin --room r", 1, "none.bin"},
		{"send . --room r", 1, "is no file"},
		{"send none.bin", 2, "--room"},
		{"send none.bin --room r --wait soon", 2, "length of time"},
		{"receive none --room r", 1, "no folder none"},
		{"receive . --room a/b", 2, "room"},
		{"receive . --room r --count -1", 2, "--count"},
		{"watch", 2, "--room"},
		{"watch --room r", 2, "--out"},
		{"watch --room r --out x.webm --at 1s", 2, "for recordings"},
		{"watch --room r --out x.webm --speed max", 2, "for recordings"},
		{"watch --recording ../r", 2, "want an id"},
		{"watch --recording r-1 --room r", 2, "--room"},
		{"watch --recording r-1 --speed 0", 2, "0.1 to 100"},
		{"watch --recording r-1 --member Ann", 2, "--member"},
		{"watch --recording r-1 --out x.webm --at 1s", 2, "leave out --at"},
		{"bench --subscribers 0", 2, "--subscribers"},
		{"bench --rate 0", 2, "--audio"},
		{"bench --size 1000000", 2, "64 Mbit/s"},
		{"bench --clip none.webm", 2, "none.webm"},
		{"bench --floor --slow 1", 2, "--floor"},
		{"bench --url http://127.0.0.1:1", 1, "landline serve"},
		{"bench --url 127.0.0.1", 1, "http, https"},
		{"version --config " + filepath.Join(dir, "none.json"), 2, "none.json"},
		{"version --config " + file("list.json", "[1]"), 2, "not a JSON object"},
		{"version --config " + file("typo.json", `{"lisen":":1"}`), 2, `no flag is called "lisen"`},
	} {
		stdout, stderr, code := invoke(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.reason) {
			t.Errorf("%q: exit %d, %q; want %d with %q", c.args, code, stderr, c.code, c.reason)
		}
		if c.code != 0 && (strings.Count(stderr, "\n") != 1 || stdout != "") {
			t.Errorf("%q: want one line on stderr alone, got %q and %q", c.args, stderr, stdout)
		}
		if strings.Contains(stdout+stderr, "hunter2") {
			t.Errorf("%q shows the secret: %q", c.args, stdout+stderr)
		}
	}
}

// The list of commands is what a newcomer reads first; it changes on purpose only.
func TestHelpListsTheCommands(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	help, _, _ := invoke(t, "--help")
	for _, line := range []string{
		"Usage: landline <command> [flags]",
		"Server:",
		"  serve    Run the relay and its web app.",
		"Clients:",
		"  stream             Stream a file into a room in real time.",
		"  watch              Save what a member sends to a file, or watch a recording alone.",
		"  send               Send a file to members of a room.",
		"  receive            Save the files that members of a room send.",
		"  record             Have the relay record a room.",
		"  recordings list    List recordings, the newest first.",
		"  rooms              Show who is there, what they send, over what, and how late.",
		"Tools:",
		"  doctor     Look at what a call from this machine to a relay would meet.",
		"  bench      Load a relay and measure how it does.",
		"  token      Mint a token that lets its holder into a room.",
		"  version    Say which build this is.",
	} {
		if !strings.Contains(help, line+"\n") {
			t.Errorf("--help has no line %q:\n%s", line, help)
		}
	}
	for _, command := range []string{"serve", "stream", "watch", "send", "receive", "record", "recordings", "rooms", "doctor", "bench", "token"} {
		help, _, _ := invoke(t, command, "--help")
		if _, text, _ := strings.Cut(help, "\n"); !strings.Contains(text, "landline "+command+" ") { // below the usage line
			t.Errorf("%s --help has no example:\n%s", command, help)
		}
	}
}

// model is the command line as Kong sees it.
func model(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := newParser(new(cli), io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func TestEveryFlagHasAnEnvironmentTwinAndHelp(t *testing.T) {
	var walk func(*kong.Node)
	walk = func(node *kong.Node) {
		for _, flag := range node.Flags {
			if flag.Name == "help" {
				continue
			}
			want := "LANDLINE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			if flag.Name == "key" && node.Name != "pub" && node.Name != "sub" { // there it is the key of a value
				want = "LANDLINE_KEYS"
			}
			if len(flag.Envs) != 1 || flag.Envs[0] != want {
				t.Errorf("%s --%s: environment %v, want %s", node.Name, flag.Name, flag.Envs, want)
			}
			if flag.Help == "" {
				t.Errorf("%s --%s has no help", node.Name, flag.Name)
			}
		}
		if node.Help == "" {
			t.Errorf("%s has no help", node.Name)
		}
		for _, child := range node.Children {
			walk(child)
		}
	}
	walk(model(t).Model.Node)
}

// probe is a client command, to see what its flags get.
type probe struct {
	roomFlags
	Loop bool `help:"Again and again."`
}

func (p *probe) Run(ctx context.Context, con *console) error {
	return json.NewEncoder(con.out).Encode(p)
}

func TestFlagsWinOverEnvironmentOverFileOverDefault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "landline.json")
	config := `{"room":"file","name":"file","token":"file","loop":true,"tls-cert":"for another command"}`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LANDLINE_CONFIG", path)
	t.Setenv("LANDLINE_ROOM", "environment")
	t.Setenv("LANDLINE_NAME", "environment")
	var app struct {
		cli
		Probe probe `cmd:"" help:"Probe."`
	}
	parser, err := kong.New(&app, kong.DefaultEnvars("LANDLINE"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"probe", "--name", "flag"}); err != nil {
		t.Fatal(err)
	}
	got := app.Probe
	want := probe{roomFlags{connectFlags{URL: "http://127.0.0.1:8080", Token: "file"}, "environment", "flag"}, true}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTokenVerifies(t *testing.T) {
	t.Setenv("LANDLINE_KEYS", "new:0123456789abcdef,"+testKey)
	keys, err := token.ParseKeys([]string{"new:0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	plain, _, code := invoke(t, "token", "--room", "kitchen", "--identity", "ann", "--name", "Ann", "--grant", "data,admin", "--ttl", "10m")
	if code != 0 || strings.Count(plain, "\n") != 1 {
		t.Fatalf("exit %d, %q", code, plain)
	}
	c, err := keys.Verify(strings.TrimSpace(plain), "kitchen", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.Expires); c.Identity != "ann" || c.Name != "Ann" || fmt.Sprint(c.Grants) != "[data admin]" || left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("claims %+v", c)
	}
	text, _, _ := invoke(t, "token", "--room", "*", "--identity", "ops", "--json")
	var object struct {
		Token, Room, Identity string
		Grants                []token.Grant
		Expires               time.Time
	}
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	c, err = keys.Verify(object.Token, token.AnyRoom, time.Now())
	if err != nil || !c.Expires.Equal(object.Expires) || fmt.Sprint(c.Grants) != fmt.Sprint(object.Grants) || c.Identity != object.Identity {
		t.Errorf("%+v, %v: does not say what %s says", c, err, text)
	}
}

func TestVersion(t *testing.T) {
	text, _, _ := invoke(t, "version", "--json")
	var b build
	if err := json.Unmarshal([]byte(text), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") || b.Platform == "" {
		t.Errorf("%q: %+v, %v", text, b, err)
	}
	if plain, _, _ := invoke(t, "version"); !strings.HasPrefix(plain, "landline "+b.Version) || strings.Count(plain, "\n") != 1 {
		t.Errorf("%q", plain)
	}
}
