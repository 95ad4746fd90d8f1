// Finds out that packets do not come any more, as signaling/rtc does it. Silence alone proves nothing: the relay may have nothing
// to send. So it states over the WebSocket how many packets it has sent. Pure; ms.

/** Until what is stated was sent after the last packet that came. */
const SETTLE_MS = 250;
const STOOD_MS = 400;
/** Packets may come so much later than the word of them. */
const LAG_MS = 150;
const FEWEST_LOST = 5;

export class Alive {
  private own = -1;
  private peer = 0;
  private base = 0;
  /** base was stated late enough after the last packet. */
  private settled = false;
  private since = 0;
  private grew = 0;

  /** Takes the relay's count. */
  states(peer: number): void {
    this.peer = Math.max(this.peer, peer);
  }

  /** Takes one's own count, and returns whether packets were sent that did not come. */
  lost(own: number, now: number): boolean {
    if (own !== this.own) {
      this.own = own;
      this.since = now;
      this.settled = false;
    }
    if (!this.settled) {
      this.base = this.peer;
      this.settled = now - this.since >= SETTLE_MS;
    }
    if (this.peer === this.base) this.grew = now;
    return now - this.since >= STOOD_MS && now - this.grew >= LAG_MS && this.peer - this.base >= FEWEST_LOST;
  }
}
