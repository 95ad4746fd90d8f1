// Package record writes what a room says to files. It is a plug-in of relay: a Recorder is a hidden member that only subscribes.
//
// # Who runs what
//
// Each Recorder has one goroutine, which pulls from its Subscriber, writes, and waits for the disk. While the disk does not take anything
// nothing is pulled: what comes waits in the Subscriber's queue, up to relay.ArchiveBytes, and beyond that whole groups are dropped
// there. So a disk never holds up a room. A Store has one goroutine, which looks whether a Recorder waits for the disk.
//
// # Files
//
// A recording is one file, or several where one is full, the disk was, or a late track has no place: ID.webm, ID.2.webm, .mkv where a codec does not
// belong into WebM; beside each of them, where they were ordered, one of each member: ID.m1.webm, ID.2.m1.webm; and ID.json, which describes it. While it
// is written a file is called ID.webm.part, and plays as it lies, up to its last half second. It gets its name when it is complete and on the disk. What a
// crash left behind is completed when the folder is opened again.
//
// # Locks
//
//	Store.mu      which Recorders there are
//	Recorder.mu   what is told of it; held around relay.Member.SetRecording, so that states are told in order
package record
