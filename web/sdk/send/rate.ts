// How many bytes may be in flight, from nothing but the receiver's acknowledgements (docs/protocol.md section 8). Pure:
// time is an argument, in µs. The twin of relay/rate, where the reasons are; both are held to testdata/rate.json.

import { Highest, Marks, MIN_CHUNK } from './rate-filter';
import { Trains } from './train';

export { MIN_CHUNK };

/** What may be in flight before anything is known: what TCP itself begins with. */
const FIRST_WINDOW = 16 << 10;
/** Two of the smallest chunks: one on its way, one to follow. */
const MIN_WINDOW = 2 * MIN_CHUNK;
const MAX_WINDOW = 8 << 20;

/** The time between acks that a receiver keeps by itself, and what is asked of it while something waited of late. */
export const ACK_EVERY_US = 100_000;
const ACK_EVERY_BUSY_US = 20_000;
const BUSY_US = 5_000_000;

/** Under this the path takes more; the queue a full link is kept at; over these it gets too much, and surely so. */
const LOW_US = 25_000;
const STANDING_US = 35_000;
const HIGH_US = 100_000;
const FAR_US = 250_000;

/** A delay this small confirms the minimum; without one for so long it is looked for again, for at most this besides two round trips. */
const NEAR_MINIMUM_US = 5_000;
const PROBE_AFTER_US = 10_000_000;
const PROBE_MOST_US = 1_000_000;

/** Between two acks that give a rate: less is noise, more is a pause, which tells nothing. */
const SPAN_LEAST_US = 50_000;
const SPAN_MOST_US = 500_000;

/** Messages acknowledged at once that tell how far apart acks are: with fewer, the messages may be. */
const GULP = 3;
/** Of the delivered rate, when the delay is too high. */
const CUT_TO = 0.85;
const HOUR_US = 3_600_000_000;

type Mode = 'startup' | 'steady' | 'drain' | 'probe';

export class RateController {
  /** Payload bytes of all messages on the connection. */
  private sentBytes = 0;
  private ackedBytes = 0;
  /** Up to here all that is not acknowledged are acks, which nobody hurries to acknowledge. */
  private quiet = 0;
  private readonly marks = new Marks();
  private windowBytes = FIRST_WINDOW;
  private mode: Mode = 'startup';

  /** Something waited for room since the last ack; and when something last did. */
  private limited = false;
  private waitedAt = -BUSY_US;
  private ackedAt = 0;
  /** Between acks of several messages, smoothed: some receivers read in gulps. */
  private gap = 0;

  /** The difference of the two clocks for the quickest message; when the delay was last near it, and the least since. */
  private base: number | undefined;
  private lowAt = 0;
  private newMin = 0;
  private newRtt = 0;
  /** Something waited since, so that newMin has our own queue in it. */
  private was = false;
  private delayUs = 0;
  private rttUs = 0;
  /** Acks in a row that told of too high a delay. */
  private high = 0;
  /** When the queue on the path had let so many bytes through, as if the way took no time. */
  private passed = { bytes: 0, at: 0 };

  /** Where a rate sample begins: bytes acknowledged, and the receiver's clock. */
  private from: { bytes: number; came: number } | undefined;
  private readonly rates = new Highest();
  /** The newest sample. */
  private now = 0;
  /** When the link was last seen full, if ever. */
  private fullAt: number | undefined;

  /** drain, probe: what is sent behind this tells of the new window. */
  private round = 0;
  /** probe: what was under way has come; and no longer than this. */
  private armed = false;
  private until = 0;
  /** steady: since when the delay has been low though something waits; 0 = it has not. */
  private lowSince = 0;
  /** undefined: nobody asks. */
  private trains: Trains | undefined;

  /** A message of so many payload bytes was given to the socket. */
  onSent(size: number, nowUs: number): void {
    if (this.marks.empty) this.quiet = this.sentBytes;
    this.trains?.sent(this.sentBytes, nowUs);
    this.marks.push(this.sentBytes, this.sentBytes + size, nowUs);
    this.sentBytes += size;
  }

  /** An ack of ours: the other side counts it, and is in no hurry to acknowledge it. */
  onSentAck(size: number): void {
    this.sentBytes += size;
  }

  /** Sent and not acknowledged. Acks alone are not in flight. */
  get inFlight(): number {
    return this.marks.empty ? 0 : this.sentBytes - Math.max(this.ackedBytes, this.quiet);
  }

  /** Bytes that may be sent now, 0 where it is less than the smallest chunk. held: what lies in buffers here, as far as known. */
  room(held = 0): number {
    const pending = Math.max(this.inFlight, held);
    const room = this.windowBytes - pending;
    if (this.mode === 'probe') return Math.max(room, 0);
    return room >= MIN_CHUNK || pending === 0 ? Math.max(room, 1) : 0;
  }

  /** Something waits and there is no room. */
  wait(nowUs: number): void {
    this.limited = true;
    this.waitedAt = nowUs;
  }

  /** Something has waited in the last second or, where the path holds a queue still, in the last five. */
  private busy(nowUs: number): boolean {
    const ago = nowUs - this.waitedAt;
    return ago < BUSY_US / 5 || (ago < BUSY_US && this.delayUs >= LOW_US);
  }

  /** The time between acks to ask the receiver for. */
  ackEvery(nowUs: number): number {
    return this.busy(nowUs) ? ACK_EVERY_BUSY_US : ACK_EVERY_US;
  }

  /** How long nothing has been acknowledged though something is under way. */
  silence(nowUs: number): number {
    return this.marks.empty ? 0 : nowUs - Math.max(this.ackedAt, this.marks.oldest);
  }

  /**
   * How long what is under way holds up a message that is sent now, µs; undefined where that is not known: before the first rate, while the
   * path is probed, and when an ack is overdue.
   */
  ahead(nowUs: number): number | undefined {
    if (this.now === 0 || this.mode === 'probe' || this.silence(nowUs) > this.ackEvery(nowUs) + this.rttUs) return undefined;
    const takes = Math.trunc(((this.sentBytes - this.passed.bytes) / this.now) * 1e6);
    return Math.max(0, this.passed.at + takes - nowUs);
  }

  get window(): number {
    return this.windowBytes;
  }

  get sent(): number {
    return this.sentBytes;
  }

  get acked(): number {
    return this.ackedBytes;
  }

  /** How much longer than the quickest the newest acknowledged message was under way. */
  get delay(): number {
    return this.delayUs;
  }

  /** Shortest time from sending to acknowledgement, 0 before one is known. */
  get rtt(): number {
    return this.rttUs;
  }

  /** Highest delivered rate of the last 2 s in which something waited, bytes a second; 0 before one is known. */
  get rate(): number {
    return Math.trunc(this.rates.most);
  }

  /** The rate of a link that was seen full in the last 10 s, bytes a second, else 0: then rate only tells what there was to send. */
  capacity(nowUs: number): number {
    return this.fullAt === undefined || nowUs - this.fullAt > PROBE_AFTER_US ? 0 : this.rate;
  }

  /** Whether shown is of interest. */
  watch(on: boolean): void {
    this.trains = on ? (this.trains ?? new Trains()) : undefined;
  }

  /**
   * The highest rate that the path was seen to carry for a moment in the last 10 s while it was watched, also where it was not full;
   * bytes a second, 0 before it had to carry anything.
   */
  shown(nowUs: number): number {
    return this.trains?.shown(nowUs) ?? 0;
  }

  /**
   * The receiver has so many payload bytes in all, the last of them since cameUs by its own clock. False for a number that
   * goes back, or is more than was sent.
   */
  onAck(total: number, cameUs: number, nowUs: number): boolean {
    if (total < this.ackedBytes || total > this.sentBytes) return false;
    const newly = total - this.ackedBytes;
    this.ackedBytes = total;
    const { at, end, count } = this.marks.pop(total);
    if (count === 0) return true; // of acks alone
    if (end !== total) {
      // The last that came is an ack of ours: its time tells nothing of the message before it.
      this.measured(total, cameUs, this.limited, nowUs);
      this.ackedAt = nowUs;
      return true;
    }
    const { limited } = this;
    this.limited = false;
    if (limited && count >= GULP) this.gap += (Math.min(nowUs - this.ackedAt, ACK_EVERY_US) - this.gap) / 8;
    this.timed(cameUs - at, nowUs - at, limited, nowUs);
    this.passed = { bytes: total, at: at + this.delayUs };
    this.trains?.came(end, at, this.delayUs, nowUs);
    this.measured(total, cameUs, limited, nowUs);
    this.ackedAt = nowUs;
    this.steer(newly, limited, nowUs);
    return true;
  }

  /** How long the newest acknowledged message was under way: by both clocks, and there and back by ours. */
  private timed(oneWay: number, rtt: number, limited: boolean, now: number): void {
    this.base = this.base === undefined ? oneWay : Math.min(this.base, oneWay);
    this.delayUs = oneWay - this.base;
    this.newMin = Math.min(this.newMin, oneWay);
    this.newRtt = Math.min(this.newRtt, rtt);
    const path = Math.max(rtt - this.delayUs, 1);
    this.rttUs = this.rttUs === 0 ? path : Math.min(this.rttUs, path);
    if (this.mode === 'probe') return;
    if (this.delayUs < NEAR_MINIMUM_US) return this.confirm(now);
    this.was ||= limited;
    if (now - this.lowAt < PROBE_AFTER_US) return;
    // Where nothing of ours stood in the way the path itself is slower, or a clock drifts.
    if (!this.was) return this.rebase(this.newMin, this.newRtt, now);
    this.mode = 'probe';
    this.armed = false;
    this.until = now + PROBE_MOST_US + 2 * this.rttUs;
    this.windowBytes = Math.max(MIN_CHUNK / 2, Math.trunc((this.rates.most * seconds(this.rttUs)) / 2)); // voice goes on also on a thin link
  }

  /** The minimum still holds. */
  private confirm(now: number): void {
    this.lowAt = now;
    this.was = false;
    this.newMin = (this.base ?? 0) + HOUR_US;
    this.newRtt = HOUR_US;
  }

  private rebase(oneWay: number, rtt: number, now: number): void {
    this.delayUs = Math.max(0, this.delayUs - (oneWay - (this.base ?? 0)));
    this.base = oneWay;
    this.rttUs = Math.max(rtt, 1);
    this.confirm(now);
  }

  /** Takes a rate sample, where the last one is long enough ago. What was not limited by the path does not age what was. */
  private measured(total: number, came: number, limited: boolean, now: number): void {
    if (limited) this.rates.pass(now - this.ackedAt);
    const span = this.from ? came - this.from.came : 0;
    if (this.from && span < SPAN_LEAST_US && span >= 0) return;
    if (this.from && span > 0 && span <= SPAN_MOST_US) {
      this.now = (total - this.from.bytes) / seconds(span);
      this.rates.add(this.now);
    }
    this.from = { bytes: total, came };
  }

  private steer(newly: number, limited: boolean, now: number): void {
    if (limited && this.delayUs >= LOW_US) this.fullAt = now;
    this.high = this.delayUs > this.tooHigh() ? this.high + 1 : 0;
    const sure = this.high > 1 || (this.delayUs > FAR_US && this.high > 0);
    const wrong = this.mode === 'probe' && now - this.lowAt >= 2 * PROBE_AFTER_US; // no path stays so full for so long: the minimum is wrong
    if (sure && !wrong && (this.mode !== 'drain' || this.ackedBytes >= this.round)) this.cut(now);
    else if (this.mode === 'probe') this.steerProbe(now);
    else if (this.mode === 'drain') {
      if (this.delayUs <= STANDING_US) this.settle(now);
    } else if (this.mode === 'startup') {
      if (this.delayUs > LOW_US && this.now > 0) this.settle(now);
      else if (limited) this.grow(newly, now);
      else this.windowBytes = Math.max(this.windowBytes, this.target(now));
    } else this.steerSteady(newly, limited, now);
  }

  /** The delay that is too much: where two of the smallest chunks take longer, that. */
  private tooHigh(): number {
    if (this.fullAt === undefined || this.now === 0) return HIGH_US;
    return Math.max(HIGH_US, Math.trunc((MIN_WINDOW / this.now) * 1e6));
  }

  /** The window falls to what was delivered just now, and a little less, so that the queue on the path empties. */
  private cut(now: number): void {
    this.fullAt = now;
    this.trains?.forget();
    if (this.now > 0) {
      this.rates.reset(this.now);
      this.windowBytes = clamp(CUT_TO * this.now * seconds(this.rttUs + this.between(now)));
    } else this.windowBytes = Math.max(Math.trunc(this.windowBytes / 2), MIN_WINDOW);
    this.mode = 'drain';
    this.round = this.sentBytes;
    this.high = 0;
  }

  private settle(now: number): void {
    this.mode = 'steady';
    this.lowSince = 0;
    this.windowBytes = Math.min(this.windowBytes, this.target(now));
  }

  /** The time between acks to reckon with. */
  private between(now: number): number {
    return Math.max(this.ackEvery(now), this.gap);
  }

  /** What the path takes in a round trip and between two acks, in whole chunks, and the queue that is to stand on it. */
  private target(now: number): number {
    const rate = this.rates.most;
    const takes = rate * seconds(this.rttUs + this.between(now));
    return clamp(Math.max(Math.ceil(takes / MIN_CHUNK) * MIN_CHUNK, takes + rate * seconds(STANDING_US)));
  }

  /** Widens the window by what was acknowledged; with care where a link that was full once has its target already. */
  private grow(newly: number, now: number): void {
    const careful = this.fullAt !== undefined && this.windowBytes >= this.target(now);
    const eager = this.fullAt === undefined && this.delayUs < NEAR_MINIMUM_US;
    this.windowBytes = Math.min(this.windowBytes + (careful ? Math.trunc(newly / 4) : eager ? 2 * newly : newly), MAX_WINDOW);
  }

  /** Follows the rate. Where the delay stays low for a round trip though something waits, the path takes more than was thought. */
  private steerSteady(newly: number, limited: boolean, now: number): void {
    const target = this.target(now);
    if (!limited) {
      // Where there is little to send the rate is low, and the window is to let a key frame through.
      this.windowBytes = Math.max(Math.min(this.windowBytes, Math.max(4 * target, FIRST_WINDOW)), target);
      return;
    }
    if (this.delayUs >= LOW_US) {
      this.lowSince = 0;
      this.windowBytes = Math.min(target, this.windowBytes + Math.trunc(newly / 4));
      return;
    }
    // In steps: a jump would stand in a queue.
    this.windowBytes = Math.max(this.windowBytes, Math.min(target, this.windowBytes + Math.trunc(newly / 2)));
    if (this.lowSince === 0) this.lowSince = now;
    else if (now - this.lowSince >= this.rttUs + this.between(now)) {
      this.mode = 'startup';
      this.grow(newly, now);
    }
  }

  /** Waits until what was under way has come, and takes what comes next as the new minimum. */
  private steerProbe(now: number): void {
    if (!this.armed && this.inFlight <= this.windowBytes) {
      this.armed = true;
      this.round = this.sentBytes;
      this.newMin = Infinity;
      this.newRtt = HOUR_US;
    } else if ((this.armed && this.ackedBytes > this.round) || now > this.until) {
      this.rebase(this.newMin, this.newRtt, now);
      this.mode = 'startup'; // from here it doubles: a whole window at once would stand in a queue
      this.windowBytes = Math.max(this.windowBytes, MIN_WINDOW);
    }
  }
}

function seconds(us: number): number {
  return Math.trunc(us) / 1e6;
}

function clamp(bytes: number): number {
  return Math.trunc(Math.min(Math.max(bytes, MIN_WINDOW), MAX_WINDOW));
}
