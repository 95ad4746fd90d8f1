package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"landline/signaling"
	"landline/signaling/client"
)

type watchCmd struct {
	connectFlags
	Room      string `required:"" xor:"what" group:"connect" help:"Room to join."`
	Recording string `required:"" xor:"what" placeholder:"ID" help:"Instead of a room, watch this recording, alone."`
	Name      string `group:"connect" help:"Name that the others see."`
	transportFlags
	Out      string `short:"o" placeholder:"FILE" help:"File to save to; its ending says how: .webm, .mkv, .ivf, .ogg or .h264. - is WebM on standard output. A room must be saved, a recording need not."`
	Member   string `placeholder:"NAME" help:"Name of the member to watch; without it, the first who sends."`
	Height   int    `placeholder:"N" help:"Of video in several sizes, save the smallest that is N pixels high or more; without it, the largest."`
	Duration span   `placeholder:"TIME" help:"End so long after the first frame."`
	Wait     span   `placeholder:"TIME" help:"Give up when no member has sent anything by then."`
	At       span   `placeholder:"TIME" help:"Of a recording, begin there: at the key frame before it."`
	Speed    pace   `default:"1" placeholder:"N" help:"Of a recording, how fast: 1 is as it was, 2 twice as fast, max as fast as it comes."`
}

// Help is the longer text of --help.
func (c *watchCmd) Help() string {
	return `It waits for the member, saves from the first key frame on, and ends when the member's tracks end or it leaves. A member that
loses its connection is waited for. .mkv holds everything; of .ivf, .ogg and .h264 one track is saved.

    landline watch --room kitchen --member cam --out cam.webm
    landline watch --room kitchen --out - | ffplay -

A recording comes over the WebSocket as fast as it is watched, from any place on; nothing is kept but for --out. It needs a token that grants record for
the room that was recorded; a relay without keys answers its own machine only.

    landline watch --recording 20251121-044000-kitchen-5f0c21ab --at 1m30s
    landline watch --recording 20251121-044000-kitchen-5f0c21ab --speed max --json`
}

// watchMaxAge is how old a frame may grow in the relay for one who saves: completeness comes before delay.
const watchMaxAge = 10 * time.Second

// saverWait is how long one who saves waits for a packet that is missing: longer than one who watches live.
const saverWait = time.Second

// subscription asks for members of a name. A file has one size from its beginning to its end, so that the layer is held.
func (c *watchCmd) subscription(name string) signaling.Subscribe {
	return signaling.Subscribe{Name: name, MaxAgeMs: watchMaxAge.Milliseconds(), Height: c.Height, Hold: true}
}

// lingerEnd is how long a member whose tracks have all ended may take to leave, or to send again.
const lingerEnd = 2 * time.Second

// Run implements the command.
func (c *watchCmd) Run(ctx context.Context, con *console) error {
	if c.Name == "" {
		c.Name = "watch"
	}
	if c.Recording != "" {
		if err := c.checkRecording(); err != nil {
			return err
		}
		return c.watchRecording(ctx, con)
	}
	ending, err := c.checkRoom()
	if err != nil {
		return err
	}
	w := &watcher{cmd: c, con: con, news: make(chan struct{}, 1), saver: newSaver(c.Out, ending, con)}
	return w.run(ctx)
}

// joining is how the room is joined.
func (c *watchCmd) joining() *roomFlags { return &roomFlags{c.connectFlags, c.Room, c.Name} }

// checkRoom refuses what cannot be when a room is watched, and tells how it is saved.
func (c *watchCmd) checkRoom() (ending, error) {
	if c.Out == "" {
		return ending{}, usagef("--out: say where to save it")
	}
	ending, err := endingOf(c.Out)
	if err != nil {
		return ending, usageError{err}
	}
	if err := c.joining().check(); err != nil {
		return ending, err
	}
	if c.At > 0 || c.Speed != 1 {
		return ending, usagef("--at and --speed are for recordings: say --recording")
	}
	if err := signaling.CheckName(c.Member); err != nil {
		return ending, usagef("--member: %w", err)
	}
	if c.Height < 0 || c.Height > signaling.MaxHeight {
		return ending, usagef("--height %d: 0 to %d", c.Height, signaling.MaxHeight)
	}
	if c.Out == "-" && c.JSON {
		return ending, usagef("--json and --out - both write to standard output")
	}
	if c.Out != "-" {
		if info, err := os.Stat(filepath.Dir(c.Out)); err != nil || !info.IsDir() {
			return ending, fmt.Errorf("--out: there is no folder %s", filepath.Dir(c.Out))
		}
	}
	return ending, nil
}

// watcher follows one member.
type watcher struct {
	cmd   *watchCmd
	con   *console
	room  *client.Room
	ready sync.WaitGroup // until room is set
	news  chan struct{}  // state has changed
	rate  rateMeter

	mu      sync.Mutex
	saver   *saver
	target  string // member id; "" while there is none
	name    string // the member's display name
	left    bool
	failed  error
	endedAt time.Time // when the last of the member's tracks ended; zero while one goes on
	adrift  bool      // the relay has lost the member and us: it may come back under another id
	until   time.Time // and is waited for as long as this
}

func (w *watcher) run(ctx context.Context) error {
	o := w.cmd.joining().options(w.con)
	o.Subscribe = []signaling.Subscribe{w.cmd.subscription(w.cmd.Member)}
	o.OnEvent, o.OnFrame = w.event, w.frame
	o.WebRTC = w.cmd.wanted(w.con, receiveLines, saverWait)
	w.ready.Add(1)
	room, err := client.Dial(ctx, o)
	w.room = room
	w.ready.Done()
	if err != nil {
		return err
	}
	bar := startProgress(w.con, w.progress)
	err = w.follow(ctx)
	room.Close()
	bar.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	if closed := w.saver.close(); err == nil {
		err = closed
	}
	if err == nil && w.saver.frames() == 0 {
		err = w.nothing()
	}
	return errors.Join(err, w.report(err))
}

// nothing is the error of a watch that saved nothing.
func (w *watcher) nothing() error {
	if w.target == "" {
		return errors.New("nobody has sent anything")
	}
	return errors.New("no frame has come")
}

// follow waits for the end of what is watched.
func (w *watcher) follow(ctx context.Context) error {
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		over, err := w.look(time.Since(began))
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // interrupted: what was saved is a whole file
		case <-w.room.Done():
			if err := w.room.Err(); err != nil {
				return err
			}
			return errors.New("the room was left")
		case <-w.news:
		case <-tick.C:
		}
	}
}

// look does what time alone brings about, and reports whether the watch is over.
func (w *watcher) look(waited time.Duration) (over bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = w.saver.tick(time.Now())
	}
	c := w.cmd
	switch {
	case w.failed != nil:
		return true, w.failed
	case w.left, w.adrift && time.Now().After(w.until):
		return true, nil
	case !w.adrift && !w.endedAt.IsZero() && time.Since(w.endedAt) > lingerEnd:
		return true, nil
	case c.Duration > 0 && !w.saver.firstAt.IsZero() && time.Since(w.saver.firstAt) >= c.Duration.duration():
		return true, nil
	case c.Wait > 0 && w.saver.firstAt.IsZero() && waited >= c.Wait.duration():
		return true, fmt.Errorf("%w within %v", w.nothing(), c.Wait.duration())
	}
	return false, nil
}

// adriftTime is how long a member is looked for at a relay that was started anew, where everyone joins anew.
const adriftTime = 15 * time.Second

// event takes what happens in the room.
func (w *watcher) event(msg any) {
	w.ready.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m := msg.(type) {
	case *signaling.Joined:
		w.adrift = w.adrift || w.target != "" && !m.Resumed && !among(m.Members, w.target)
		w.until = time.Now().Add(adriftTime)
	case *signaling.TrackAdded:
		if m.Type == "trackAdded" {
			w.added(m.Member, m.Track.ID)
		}
	case *signaling.TrackRemoved:
		if m.Member == w.target {
			w.saver.end(m.Track)
			if w.saver.allEnded() {
				w.endedAt = time.Now()
			}
		}
	case *signaling.MemberLeft:
		if m.ID == w.target && !w.adrift {
			w.left = true
		}
	case *signaling.MemberState:
		if m.ID == w.target {
			w.con.log.Info("the member is "+m.State, "member", m.ID)
		}
	case *signaling.Notice:
		w.con.log.Warn(m.Text, "code", m.Code)
	case *signaling.Error:
		w.fail(fmt.Errorf("the relay refuses: %s", m.Text))
	}
	w.tell()
}

func among(members []signaling.Member, id string) bool {
	return slices.ContainsFunc(members, func(m signaling.Member) bool { return m.ID == id })
}

// added takes a new track, and settles on its member if there is none yet.
func (w *watcher) added(member, track string) {
	in := w.room.Incoming(member, track)
	switch {
	case in == nil || w.left:
		return
	case w.cmd.Member != "" && in.Member.Name != w.cmd.Member, w.adrift && in.Member.Name != w.name:
		return
	}
	if w.target == "" || w.adrift {
		w.target, w.name, w.adrift = member, in.Member.Name, false
		w.con.log.Info("watching", "room", w.cmd.Room, "member", member, "name", in.Member.Name)
		w.narrow()
	}
	if member == w.target {
		w.endedAt = time.Time{}
		w.fail(w.saver.add(in))
	}
}

// narrow asks for members of this name alone, once it is known whom to watch.
func (w *watcher) narrow() {
	if w.cmd.Member != "" || w.name == "" {
		return
	}
	sub := w.cmd.subscription(w.name)
	err := w.room.Send(&sub)
	if err == nil {
		err = w.room.Send(&signaling.Unsubscribe{})
	}
	if err != nil {
		w.con.log.Warn("others' tracks come too", "error", err)
	}
}

func (w *watcher) frame(in *client.Incoming, f client.Frame) {
	w.ready.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if in.Member.ID == w.target && !w.left && w.failed == nil {
		w.fail(w.saver.frame(in, f))
	}
}

func (w *watcher) fail(err error) {
	if err != nil && w.failed == nil {
		w.failed = err
		w.tell()
	}
}

func (w *watcher) tell() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// progress is the line on the terminal.
func (w *watcher) progress() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.saver.firstAt.IsZero() {
		return "waiting"
	}
	var bytes, drops uint64
	for _, t := range w.saver.tracks {
		bytes += t.bytes
		for _, n := range t.in.Stats().Drops {
			drops += n
		}
	}
	return fmt.Sprintf("%s  %s  %d dropped", clockText(w.saver.length()), bitsText(w.rate.update(bytes)), drops)
}
