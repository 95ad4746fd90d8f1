package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule says what the packages of a folder may import of this module, in the patterns of path.Match. The first rule
// that fits a folder decides; a folder that none fits has no place in the house yet.
type rule struct {
	folder string
	may    []string
}

// Imports run one way: media <- relay <- signaling <- cmd. A folder below another is a leaf that its parent may
// import, or a plug-in that imports its parent; its doc.go says which.
var rules = []rule{
	{"media", nil},
	{"media/internal/bitio", nil},
	{"media/internal/*", []string{"media"}},
	{"media/av1", []string{"media", "media/internal/bitio"}},
	{"media/h264", []string{"media", "media/internal/bitio"}},
	{"media/vpx", []string{"media", "media/internal/bitio"}},
	{"media/*", []string{"media", "media/av1", "media/h264", "media/vpx"}},
	{"relay", []string{"media", "relay/rate"}},
	{"relay/rate", nil},
	{"relay/play", []string{"relay", "relay/record", "media", "media/*"}},
	{"relay/*", []string{"relay", "media", "media/*"}},
	{"signaling", []string{"media", "relay/rate", "signaling/token"}},
	{"signaling/token", nil},
	{"signaling/impair", nil},
	{"signaling/rtc", []string{"signaling", "signaling/token", "relay", "media", "media/rtp"}},
	{"signaling/server", []string{"signaling", "signaling/token", "relay", "relay/rate", "relay/record", "relay/play", "media", "media/*"}},
	{"signaling/*", []string{"signaling", "signaling/token", "relay", "relay/rate", "media", "media/*"}},
	{"web", nil},
	{"cmd/*", []string{"media", "media/*", "relay", "relay/*", "signaling", "signaling/*", "web", "cmd/*/*"}},
	{"cmd/*/*", []string{"media", "media/rtp", "signaling", "signaling/token", "signaling/server"}},
}

// aloof holds what whole layers may not import from outside: media and relay know no transport, no log and no JSON.
var aloof = map[string][]string{
	"media": {"net", "net/http", "log", "log/slog", "encoding/json", "github.com/gorilla/websocket", "github.com/pion/webrtc/v4"},
	"relay": {"net", "net/http", "log", "log/slog", "encoding/json", "github.com/gorilla/websocket", "github.com/pion/webrtc/v4"},
}

// worldly may import what its layer may not: relay/record describes its files in JSON, and both tell the operator what the disk does.
var worldly = map[string][]string{"relay/record": {"log/slog", "encoding/json"}, "relay/play": {"log/slog"}}

const module = "landline/"

// file is one Go file and what it imports.
type file struct {
	folder, name string
	test         bool
	imports      []string
}

func TestImportsRunOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range goFiles(t) {
		top, _, _ := strings.Cut(f.folder, "/")
		seen[top] = true
		i := slices.IndexFunc(rules, func(r rule) bool { return fits(r.folder, f.folder) })
		if i < 0 {
			t.Errorf("%s/%s: no rule says what this folder may import", f.folder, f.name)
			continue
		}
		for _, p := range f.imports {
			own, ours := strings.CutPrefix(p, module)
			if !f.test && !ours && slices.Contains(aloof[top], p) && !slices.Contains(worldly[f.folder], p) {
				t.Errorf("%s/%s imports %s, which %s knows nothing of", f.folder, f.name, p, top)
			}
			if ours && !mayImport(rules[i], f, top, own) {
				t.Errorf("%s/%s imports %s, which it must not: it may import %v", f.folder, f.name, own, rules[i].may)
			}
		}
	}
	for _, top := range []string{"media", "relay", "signaling", "web", "cmd"} {
		if !seen[top] {
			t.Errorf("no Go file found under %s: this test looks in the wrong place", top)
		}
	}
}

// mayImport applies a rule. Tests may use all of their own layer beside; nothing but tests uses mediatest.
func mayImport(r rule, f file, top, own string) bool {
	if f.test && (own == top || strings.HasPrefix(own, top+"/")) {
		return true
	}
	if own == "media/internal/mediatest" {
		return f.test
	}
	return slices.ContainsFunc(r.may, func(pattern string) bool { return fits(pattern, own) })
}

func fits(pattern, folder string) bool {
	ok, err := path.Match(pattern, folder)
	return ok && err == nil
}

// goFiles reads the imports of every Go file of the module.
func goFiles(t *testing.T) (list []file) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n == "node_modules" || n == "testdata" || n == "dist" || name != root && strings.HasPrefix(n, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		entry := file{folder: filepath.ToSlash(rel), name: d.Name(), test: strings.HasSuffix(name, "_test.go")}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			entry.imports = append(entry.imports, p)
		}
		list = append(list, entry)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
