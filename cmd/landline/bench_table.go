package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"landline/cmd/landline/bench"
)

// printBench writes the report for a person.
func printBench(out io.Writer, r *bench.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	printLatency(w, r)
	printMembers(w, r)
	printRelay(w, r)
	printFloor(w, r)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, text := range r.Warnings {
		if _, err := fmt.Fprintln(out, "note:", text); err != nil {
			return err
		}
	}
	return nil
}

func timesRow(w io.Writer, name string, t bench.Times) {
	fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%d\n", name, t.P50, t.P95, t.P99, t.Max, t.N)
}

func printLatency(w io.Writer, r *bench.Report) {
	fmt.Fprintln(w, "MILLISECONDS\tP50\tP95\tP99\tMAX\tN")
	for _, kind := range []string{"audio", "video", "all"} {
		if t, ok := r.Latency[kind]; ok {
			timesRow(w, "latency, "+kind, t)
		}
	}
	if r.FloorSees != nil {
		timesRow(w, "latency, floor", *r.FloorSees)
	}
	for _, who := range slices.Sorted(maps.Keys(r.Others)) {
		timesRow(w, "latency, "+who, r.Others[who].Latency)
	}
	timesRow(w, "join", r.Join)
	if r.First != nil {
		timesRow(w, "first frame", *r.First)
	}
	if r.Late.N > 0 {
		timesRow(w, "sent late", r.Late)
	}
	fmt.Fprintln(w)
}

func printMembers(w io.Writer, r *bench.Report) {
	if f := r.Frames; f.Published > 0 {
		fmt.Fprintln(w, "FRAMES\tPUBLISHED\tEXPECTED\tDELIVERED\tCAUGHT UP\tGAPS")
		fmt.Fprintf(w, "fast\t%d\t%d\t%d\t%d\t%d\n", f.Published, f.Expected, f.Delivered, f.CaughtUp, f.Gaps)
		for _, who := range slices.Sorted(maps.Keys(r.Others)) {
			fmt.Fprintf(w, "%s\t\t\t%d\t%d\t\n", who, r.Others[who].Delivered, r.Others[who].CaughtUp)
		}
		fmt.Fprintln(w)
	}
	if p := r.Packets; p != nil {
		fmt.Fprintln(w, "RTP PACKETS\tFORWARDED\tLOST\tRELAY'S BYTES\tBY WEBSOCKET")
		fmt.Fprintf(w, "fast\t%d\t%d\t%.0f\t%.0f\n\n", p.Forwarded, p.Lost, p.BytesOut["webrtc"], p.BytesOut["websocket"])
	}
	if len(r.Queues) > 0 {
		fmt.Fprintln(w, "QUEUE AT MOST\tBYTES\tAGE\tDROPPED")
		for _, who := range slices.Sorted(maps.Keys(r.Queues)) {
			q := r.Queues[who]
			fmt.Fprintf(w, "%s\t%d\t%.0f ms\t%s\n", who, q.Bytes, q.AgeMs, orDash(dropsText(q.Drops)))
		}
		fmt.Fprintln(w)
	}
}

func printRelay(w io.Writer, r *bench.Report) {
	if r.Frames.Published > 0 {
		fmt.Fprintf(w, "dropped by the relay\t%s\n", orDash(dropsText(r.Drops)))
		fmt.Fprintf(w, "key frames asked\t%d\n", r.KeyAsked)
	}
	if len(r.Closes) > 0 {
		fmt.Fprintf(w, "sessions lost\t%s\n", dropsText(r.Closes))
	}
	if r.ServerUs != nil {
		fmt.Fprintf(w, "relay, µs a %s\t%.2f\n", r.Unit(), *r.ServerUs)
	}
	if m := r.Memory; m != nil {
		fmt.Fprintf(w, "relay's memory\t%.1f MiB before, %.1f MiB with %d members: %.1f KiB each\n", m.Before/(1<<20), m.With/(1<<20), m.Members, m.PerMember/(1<<10))
		if m.PerViewer != 0 {
			fmt.Fprintf(w, "memory of a viewer\t%.0f KiB%s\n", m.PerViewer/(1<<10), floorMemory(m))
		}
	}
}

func floorMemory(m *bench.Memory) string {
	if m.FloorPerViewer == 0 {
		return ""
	}
	return fmt.Sprintf(" (of the floor: %.0f KiB)", m.FloorPerViewer/(1<<10))
}

func printFloor(w io.Writer, r *bench.Report) {
	if r.FloorUs == nil {
		return
	}
	what := "plain TCP"
	if r.Packets != nil {
		what = "bare Pion"
	}
	fmt.Fprintf(w, "floor, µs a %s\t%.2f\t(%s; two runs in turns differ by %.0f %%, all slices by %.0f %%)\n", r.Unit(), *r.FloorUs, what, r.FloorDiffer*100, r.FloorSpread*100)
	if r.Ratio != nil {
		fmt.Fprintf(w, "relay to floor\t%.2f\n", *r.Ratio)
	} else {
		fmt.Fprintf(w, "relay to floor\ttoo noisy\n")
	}
	var pairs []string
	for _, p := range r.Pairs {
		pairs = append(pairs, fmt.Sprintf("%.2f/%.2f", p.ServerUs, p.FloorUs))
	}
	fmt.Fprintf(w, "pairs\t%s\n", strings.Join(pairs, " "))
}
