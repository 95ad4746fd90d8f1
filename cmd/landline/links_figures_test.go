package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The scenarios of links_*_test.go run on real sockets between processes, over paths with faults. Each has a short form, for every run
// of the tests, with slack for a busy machine, and a long one that judges the exact goals:
//
//	LANDLINE_IMPAIR=1m      so long (make impair)
//	LANDLINE_LONG=1         ten minutes
//	LANDLINE_FIGURES=DIR    leave the figures there as JSON, and a trace as CSV; DIR is seen from the repository's root

// formTime is how long a scenario runs, and whether that is its long form.
func formTime(short time.Duration) (d time.Duration, long bool) {
	if d, err := time.ParseDuration(os.Getenv("LANDLINE_IMPAIR")); err == nil {
		return max(d, short), true
	}
	if os.Getenv("LANDLINE_LONG") != "" {
		return 10 * time.Minute, true
	}
	return short, false
}

// figure is one measured number, as it is printed: one JSON object a line.
type figure struct {
	Scenario string   `json:"scenario"`
	Seed     uint64   `json:"seed"`
	Metric   string   `json:"metric"`
	Value    float64  `json:"value"`
	Goal     *float64 `json:"goal"` // null: for information
	Sense    string   `json:"sense,omitempty"`
	Unit     string   `json:"unit"`
	N        int      `json:"n"`
}

// linkSeed is that of all impairments by chance.
const linkSeed = 1

// figures collects those of one test.
type figures struct {
	t    *testing.T
	file string
	long bool

	mu    sync.Mutex
	noisy bool // the machine is: the short form judges no times
	lines []string
}

// newFigures writes NAME.json at the end of the test, if that is asked for.
func newFigures(t *testing.T, name string, long bool) *figures {
	f := &figures{t: t, file: name + ".json", long: long}
	t.Cleanup(f.save)
	return f
}

// note prints a figure that has no goal.
func (f *figures) note(scenario, metric string, value float64, unit string, n int) {
	f.add(figure{Scenario: scenario, Metric: metric, Value: value, Unit: unit, N: n})
}

// most fails for a value over the goal; in the short form, over goal and slack. What has no slack is no matter of time.
func (f *figures) most(scenario, metric string, value, goal, slack float64, unit string, n int) {
	f.add(figure{Scenario: scenario, Metric: metric, Value: value, Goal: &goal, Sense: "at most", Unit: unit, N: n})
	if value > goal+f.given(slack) {
		f.t.Errorf("%s: %s is %.5g %s of %d, want at most %.5g", scenario, metric, value, unit, n, goal+f.given(slack))
	}
}

// least fails for a value under the goal; in the short form, under goal less slack.
func (f *figures) least(scenario, metric string, value, goal, slack float64, unit string, n int) {
	f.add(figure{Scenario: scenario, Metric: metric, Value: value, Goal: &goal, Sense: "at least", Unit: unit, N: n})
	if value < goal-f.given(slack) {
		f.t.Errorf("%s: %s is %.5g %s of %d, want at least %.5g", scenario, metric, value, unit, n, goal-f.given(slack))
	}
}

func (f *figures) given(slack float64) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.long:
		return 0
	case f.noisy && slack > 0:
		return math.Inf(1)
	}
	return slack
}

// disturbed says whether the machine is too busy to judge times on.
func (f *figures) disturbed(yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noisy = yes
	if yes {
		f.t.Log("the machine is too noisy: frames that nothing holds up are late")
	}
}

func (f *figures) add(fig figure) {
	fig.Seed = linkSeed
	line, err := json.Marshal(fig)
	if err != nil {
		f.t.Errorf("%s %s: %v", fig.Scenario, fig.Metric, err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, string(line))
	fmt.Println(string(line))
}

// figuresPath is where a file of figures goes; "" if none are asked for.
func figuresPath(name string) string {
	dir := os.Getenv("LANDLINE_FIGURES")
	switch {
	case dir == "":
		return ""
	case !filepath.IsAbs(dir):
		dir = filepath.Join("..", "..", dir)
	}
	return filepath.Join(dir, name)
}

func (f *figures) save() {
	path := figuresPath(f.file)
	if path == "" || len(f.lines) == 0 {
		return
	}
	head, err := json.Marshal(map[string]any{"command": commandLine(f.t), "commit": commit(), "machine": machine(),
		"at": time.Now().UTC().Format(time.RFC3339), "long": f.long})
	if err != nil {
		f.t.Error(err)
		return
	}
	var b bytes.Buffer // one figure a line, so that differences are seen
	b.Write(head[:len(head)-1])
	b.WriteString(",\"figures\":[")
	for i, line := range f.lines {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + line)
	}
	b.WriteString("\n]}\n")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		f.t.Error(err)
	}
}

// commandLine is what makes these figures again.
func commandLine(t *testing.T) string {
	target := "impair"
	if strings.HasPrefix(t.Name(), "TestNetns") {
		target = "impair-netns"
	}
	switch {
	case os.Getenv("LANDLINE_IMPAIR") != "":
		return "LANDLINE_FIGURES=docs/figures make " + target + " IMPAIR=" + os.Getenv("LANDLINE_IMPAIR")
	case os.Getenv("LANDLINE_LONG") != "":
		return "LANDLINE_LONG=1 LANDLINE_FIGURES=docs/figures make " + target
	}
	return "LANDLINE_FIGURES=docs/figures go test -count=1 -run " + t.Name() + " ./cmd/landline"
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores, %s, %s/%s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
