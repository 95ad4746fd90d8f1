package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// maxClips bounds what one stream plays, and maxPlaylist a playlist in bytes.
const (
	maxClips    = 10_000
	maxPlaylist = 4 << 20
)

// clips is what a stream plays, one after the other. Of several, those that cannot be streamed are passed over.
type clips struct {
	open  opener   // for each, but for its path
	paths []string // at least one
	loop  bool
	warn  func(path string, err error) // of one that is passed over

	at      int   // of the next
	rounds  int   // that are over
	round   int   // how many of this round were played
	played  int   // of which at least one packet was sent
	skipped int   // that were passed over
	reason  error // why the first was
}

// listClips finds the inputs that the arguments name.
func listClips(args []string) (paths []string, err error) {
	for _, arg := range args {
		more, err := clipsOf(arg)
		if err != nil {
			return nil, err
		}
		if paths = append(paths, more...); len(paths) > maxClips {
			return nil, fmt.Errorf("over %d files to stream", maxClips)
		}
	}
	return paths, nil
}

// clipsOf finds the inputs of one argument: of a folder its files, of a playlist its entries.
func clipsOf(arg string) ([]string, error) {
	if arg == "-" || isAddress(arg) {
		return []string{arg}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return filesIn(arg)
	case isPlaylist(arg):
		return entriesOf(arg)
	}
	return []string{arg}, nil
}

// filesIn lists the files of a folder by name, but not those that are hidden.
func filesIn(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("the folder %s holds no files", dir)
	}
	return paths, nil
}

func isPlaylist(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return ending == ".m3u" || ending == ".m3u8"
}

// entriesOf reads an M3U playlist: a file or an address a line, files as seen from the playlist's folder.
func entriesOf(path string) (paths []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxPlaylist))
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		switch {
		case strings.HasPrefix(line, "#EXT-X-"):
			return nil, fmt.Errorf("%s is an HLS playlist, of the pieces of one stream: stream the file that it was made of", path)
		case line != "" && !strings.HasPrefix(line, "#"):
			paths = append(paths, entry(filepath.Dir(path), line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s is no playlist: %w", path, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("the playlist %s is empty", path)
	}
	return paths, nil
}

// entry is the path or address that a line of a playlist in a folder stands for.
func entry(dir, line string) string {
	if isAddress(line) {
		return line
	}
	if u, err := url.Parse(line); err == nil && u.Scheme == "file" {
		line = u.Path
	}
	if filepath.IsAbs(line) {
		return line
	}
	return filepath.Join(dir, filepath.FromSlash(line))
}

// several reports whether there is more than one clip: then one that cannot be streamed is no reason to stop.
func (c *clips) several() bool { return len(c.paths) > 1 }

// next opens the next clip that can be opened; nil at the end.
func (c *clips) next(ctx context.Context) (*source, error) {
	for {
		if c.at == len(c.paths) {
			if err := c.again(); err != nil || c.at > 0 {
				return nil, err
			}
		}
		c.open.path = c.paths[c.at]
		o := c.open
		if c.at > 0 {
			o.start = 0
		}
		c.at++
		src, err := o.open(ctx)
		if err == nil {
			return src, nil
		}
		if ctx.Err() != nil || !c.several() {
			return nil, err
		}
		c.skip(err)
	}
}

// again goes back to the first clip where the list is to be repeated. It fails where nothing could be played.
func (c *clips) again() error {
	if c.round == 0 && c.several() {
		return fmt.Errorf("none of %d files can be streamed; of the first: %w", len(c.paths), c.reason)
	}
	if c.loop {
		c.at, c.round, c.rounds = 0, 0, c.rounds+1
	}
	return nil
}

// skip passes over the clip that was opened last.
func (c *clips) skip(why error) {
	if c.skipped++; c.reason == nil {
		c.reason = why
	}
	c.warn(c.open.path, why)
}

// begun counts the clip that was opened last as played.
func (c *clips) begun() {
	c.played++
	c.round++
}

// place says where in the list a stream is; "" where there is one clip alone.
func (c *clips) place() string {
	if !c.several() {
		return ""
	}
	return fmt.Sprintf("%d/%d %s  ", c.at, len(c.paths), c.open.name())
}
