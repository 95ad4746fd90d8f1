package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"landline/signaling"
	"landline/signaling/client"
)

type receiveCmd struct {
	roomFlags
	Dir      string `arg:"" placeholder:"DIR" help:"Folder to save files in."`
	From     string `placeholder:"NAME" help:"Take files of members of this name alone."`
	Count    int    `help:"End after so many files; 0: never."`
	Duration span   `placeholder:"TIME" help:"End after so long."`
}

// Help is the longer text of --help.
func (c *receiveCmd) Help() string {
	return `It takes what the members of the room send with landline send. A file is there when all of it is safely on the disk and its hash is right;
until then its name ends in .part. No file is ever replaced: a name that is taken gets a number.

    landline receive inbox --room kitchen
    landline receive inbox --room kitchen --from Ann --count 1`
}

// Run implements the command.
func (c *receiveCmd) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := signaling.CheckName(c.From); err != nil {
		return usagef("--from: %w", err)
	}
	if c.Count < 0 {
		return usagef("--count %d is negative", c.Count)
	}
	if c.Name == "" {
		c.Name = "receive"
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return fmt.Errorf("there is no folder %s to save in: %w", c.Dir, err)
	}
	defer root.Close()
	t := &taker{cmd: c, con: con, root: root, news: make(chan struct{}, 1)}
	return t.run(ctx)
}

// taker saves what is offered.
type taker struct {
	cmd  *receiveCmd
	con  *console
	root *os.Root
	news chan struct{} // a file is there, or has failed
	rate rateMeter

	mu    sync.Mutex
	open  []*incomingFile
	files []receivedFile
	ended []*client.Receiving // whose senders may not have been told yet
}

func (t *taker) run(ctx context.Context) error {
	began := time.Now()
	o := t.cmd.options(t.con)
	o.OnOffer = t.offered
	room, err := client.Dial(ctx, o)
	if err != nil {
		return err
	}
	t.con.log.Info("receiving", "room", t.cmd.Room, "member", room.Self(), "folder", t.cmd.Dir)
	bar := startProgress(t.con, t.progress)
	err = t.wait(ctx, room)
	t.giveUp()
	room.Close()
	bar.stop()
	return errors.Join(err, t.report(room, time.Since(began), err))
}

// wait waits until it is over.
func (t *taker) wait(ctx context.Context, room *client.Room) error {
	var over <-chan time.Time
	if d := t.cmd.Duration.duration(); d > 0 {
		over = time.After(d)
	}
	for {
		if t.cmd.Count > 0 && t.saved() >= t.cmd.Count {
			return nil
		}
		select {
		case <-t.news:
			continue
		case <-over:
		case <-ctx.Done():
		case <-room.Done():
			if err := room.Err(); err != nil {
				return err
			}
			return errors.New("the room was left")
		}
		return t.missing()
	}
}

// missing is the error of one that ends before all came that was to come.
func (t *taker) missing() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.open) > 0:
		return fmt.Errorf("ended while %s was on its way: receive for longer, and have it sent again", t.open[0].rc.Object.Name)
	case t.cmd.Count > 0:
		return fmt.Errorf("%d of %d files came: receive for longer, and have the others sent", len(t.files), t.cmd.Count)
	}
	return nil
}

func (t *taker) saved() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.files {
		if f.Error == "" {
			n++
		}
	}
	return n
}

// giveUp cancels what is on its way, and waits until its parts are gone, and until the last word about each file is under way to its
// sender: who left before that would be taken for one who did not get it.
func (t *taker) giveUp() {
	t.mu.Lock()
	open, ended := slices.Clone(t.open), slices.Clone(t.ended)
	t.mu.Unlock()
	for _, f := range open {
		f.rc.Cancel()
		ended = append(ended, f.rc)
	}
	for _, rc := range ended {
		<-rc.Done()
	}
}

// offered opens a file for an object, or declines it.
func (t *taker) offered(rc *client.Receiving) client.Sink {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cmd.From != "" && rc.From.Name != t.cmd.From || signaling.CheckObjectName(rc.Object.Name) != nil {
		return nil
	}
	coming := len(t.open)
	for _, f := range t.files {
		if f.Error == "" {
			coming++
		}
	}
	if t.cmd.Count > 0 && coming >= t.cmd.Count {
		return nil
	}
	f := &incomingFile{taker: t, rc: rc}
	if err := f.create(); err != nil {
		t.con.log.Warn("declined: it cannot be saved", "file", rc.Object.Name, "error", err)
		return nil
	}
	t.open = append(t.open, f)
	t.con.log.Info("receiving a file", "file", rc.Object.Name, "bytes", rc.Object.Size, "from", rc.From.Name)
	return f
}

// closed notes the end of a file: saved under a name, or failed.
func (t *taker) closed(f *incomingFile, name string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.open {
		if other == f {
			t.open = append(t.open[:i], t.open[i+1:]...)
			break
		}
	}
	r := receivedFile{Name: f.rc.Object.Name, Saved: name, Bytes: f.bytes, SHA256: f.sum(), From: f.rc.From.Name}
	if err != nil {
		r.Error, r.SHA256 = err.Error(), ""
		t.con.log.Warn("a file did not come", "file", r.Name, "from", r.From, "error", err)
	} else {
		t.con.log.Info("saved", "file", name, "bytes", r.Bytes, "sha256", r.SHA256, "from", r.From)
	}
	t.ended = append(slices.DeleteFunc(t.ended, isDone), f.rc)
	if len(t.files) < maxReported {
		t.files = append(t.files, r)
	}
	select {
	case t.news <- struct{}{}:
	default:
	}
}

func isDone(rc *client.Receiving) bool {
	select {
	case <-rc.Done():
		return true
	default:
		return false
	}
}

// maxReported bounds the files that the report lists.
const maxReported = 100_000

// receiveReport is what receive --json writes.
type receiveReport struct {
	Room       string         `json:"room"`
	Member     string         `json:"member"`
	Dir        string         `json:"dir"`
	Files      []receivedFile `json:"files"`
	Seconds    float64        `json:"seconds"`
	Reconnects int            `json:"reconnects"`
	Error      string         `json:"error,omitempty"`
}

// receivedFile is one file: Saved is its name in the folder, "" where Error says why it is not there.
type receivedFile struct {
	Name   string `json:"name"`
	Saved  string `json:"saved,omitempty"`
	Bytes  uint64 `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
	From   string `json:"from"`
	Error  string `json:"error,omitempty"`
}

func (t *taker) report(room *client.Room, took time.Duration, failed error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cmd.JSON {
		return nil
	}
	r := receiveReport{Room: t.cmd.Room, Member: room.Self(), Dir: t.cmd.Dir, Files: append([]receivedFile{}, t.files...), Seconds: took.Seconds(), Reconnects: room.Reconnects()}
	if failed != nil {
		r.Error = failed.Error()
	}
	return writeJSON(t.con.out, r)
}

// progress is the line on the terminal.
func (t *taker) progress() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all uint64
	for _, f := range t.files {
		all += f.Bytes
	}
	var parts []string
	for _, f := range t.open {
		n := f.rc.Progress()
		all += n
		if len(parts) < 2 {
			parts = append(parts, f.rc.Object.Name+" "+partText(n, f.rc.Object.Size))
		}
	}
	if len(t.open) == 0 {
		return fmt.Sprintf("waiting  %d files", len(t.files))
	}
	return fmt.Sprintf("%s  %s  %d files", strings.Join(parts, "  "), bitsText(t.rate.update(all)), len(t.files))
}
