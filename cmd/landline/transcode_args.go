package main

import (
	"fmt"
	"strings"
	"time"

	"landline/media"
)

// demuxers are the input formats that ffmpeg may take a file for. Playlists are not among them: they name
// other files and addresses to read, and what a file contains is not for its author to choose.
var demuxers = []string{
	"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ogg", "ivf", "obu",
	"h264", "hevc", "m4v", "av1", "dv", "mxf", "nut", "rm", "wtv", "gif", "y4m", "yuv4mpegpipe",
	"flac", "wav", "w64", "aiff", "au", "caf", "mp3", "aac", "ac3", "eac3", "dts", "amr", "ape", "wv", "tta",
}

// arguments is ffmpeg's command line.
func (s transcodeSpec) arguments() []string {
	args := append([]string{"-hide_banner", "-nostdin", "-v", "error"}, s.inputArguments()...)
	args = append(args, "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1")
	args = append(args, s.video.videoArguments(s.gop, s.sizes())...)
	args = append(args, s.audio.audioArguments(s.soundInput())...)
	container := "webm"
	if s.video.treatment == copyOver && s.video.format.Codec == media.H264 {
		container = "matroska"
	}
	// Small clusters, each written at once: a cluster is held back until it is complete.
	return append(args, "-f", container, "-live", "1", "-cluster_time_limit", "100", "-flush_packets", "1", "pipe:1")
}

// inputArguments tell ffmpeg what to read, and to take it for nothing but media.
func (s transcodeSpec) inputArguments() []string {
	if len(s.captures) > 0 {
		return captureArguments(s.captures)
	}
	protocols, seek := "file,pipe", []string{}
	if s.address != "" {
		protocols = "http,tcp"
	}
	if s.start > 0 {
		seek = []string{"-ss", fmt.Sprintf("%.6f", s.start.Seconds())}
	}
	args := []string{"-protocol_whitelist", protocols, "-format_whitelist", strings.Join(demuxers, ",")}
	if s.in == nil { // before the input: ffmpeg seeks
		return append(append(args, seek...), "-i", s.input())
	}
	// After it: ffmpeg reads and drops. A pipe may be live, so little of it is read to find the tracks.
	return append(append(args, "-analyzeduration", "1000000", "-i", s.input()), seek...)
}

// input is what ffmpeg calls the input. "file:" keeps a name such as http:x or -x from being anything else.
func (s transcodeSpec) input() string {
	switch {
	case s.path != "":
		return "file:" + s.path
	case s.address != "":
		return s.address
	}
	return "pipe:0"
}

// videoArguments choose the first video track that is no cover picture. Encoded, it is VP8 made for speed: no
// frame is looked ahead for or hidden, and each can be shown when the one before it is there.
func (r rendition) videoArguments(gop time.Duration, sizes int) []string {
	switch r.treatment {
	case leaveOut:
		return []string{"-vn"}
	case copyOver:
		return []string{"-map", "0:V:0", "-c:v", "copy"}
	}
	if gop <= 0 {
		gop = 2 * time.Second
	}
	if sizes > 1 {
		return r.layerArguments(sizes, gop.Seconds())
	}
	rate := bitrate(r.format.Width, r.format.Height)
	args := append([]string{"-map", r.source("0:V:0"), "-vf", fitFilter}, encoderArguments(gop.Seconds())...)
	return append(args, "-b:v", fmt.Sprint(rate), "-maxrate", fmt.Sprint(rate*3/2), "-bufsize", fmt.Sprint(rate))
}

// fitFilter makes what is larger than a full HD picture fit into one.
const fitFilter = "scale=w='min(iw,1920)':h='min(ih,1080)':force_original_aspect_ratio=decrease:force_divisible_by=2"

func encoderArguments(gopSeconds float64) []string {
	return []string{"-c:v", "libvpx", "-pix_fmt", "yuv420p",
		"-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-auto-alt-ref", "0", "-error-resilient", "default", "-fpsmax", "60",
		// By time rather than by frames, since the frame rate may be unknown or vary; -g then only bounds it.
		"-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%.6f)", gopSeconds), "-g", "3600"}
}

func (r rendition) audioArguments(track string) []string {
	switch r.treatment {
	case leaveOut:
		return []string{"-an"}
	case copyOver:
		return []string{"-map", track, "-c:a", "copy"}
	}
	return []string{"-map", r.source(track), "-c:a", "libopus", "-ar", "48000", "-ac", "2", "-b:a", "96k", "-frame_duration", "20"}
}

// source is the track to map; a track that nobody has seen need not be there.
func (r rendition) source(track string) string {
	if r.format.Codec == "" {
		return track + "?"
	}
	return track
}

// bitrate of VP8 in bit/s for a picture size: 2.5 bits per pixel and second, 1 Mbit/s at 854x480.
func bitrate(width, height int) int {
	if width <= 0 || height <= 0 {
		return 2_000_000
	}
	return min(max(width*height*5/2, 200_000), 5_000_000)
}
