package signaling

// Record begins to record the room, or ends that. Name is the display name of the members to be recorded; "" = everybody. PerMember is for a file of each member
// beside that of the room.
type Record struct {
	Type      string `json:"type"`
	Req       int64  `json:"req,omitempty"`
	On        bool   `json:"on"`
	Name      string `json:"name,omitempty"`
	PerMember bool   `json:"perMember,omitempty"`
}

// Recording tells how the recording of the room does. State is one of recording, waiting, ending, saved, failed; Why is a code where it waits or has
// failed. By and ByName are the member who began it; Name is as in Record.
type Recording struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	State   string `json:"state"`
	Why     string `json:"why,omitempty"`
	By      string `json:"by,omitempty"`
	ByName  string `json:"byName,omitempty"`
	Name    string `json:"name,omitempty"`
	SinceUs int64  `json:"sinceUs,omitempty"`
}

func (m *Record) check() error { return CheckName(m.Name) }
