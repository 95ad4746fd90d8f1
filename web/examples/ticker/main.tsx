// A board of prices. One page of a room feeds it at thousands of changes a second; every other page reads it, and a
// slow one is told less often, never late.

import { render } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Room, RoomState } from '../../sdk';
import { Bar, Example } from '../page';
import { Board, type Order } from './board';
import { Market } from './market';
import '../../app/styles/base.css';
import '../../app/styles/forms.css';
import '../page.css';
import './ticker.css';

const PAINT_MS = 125;
/** Rows change places no more often than this: one has to be able to read them. */
const ARRANGE_MS = 1_000;
const SPEEDS = [500, 2_000, 5_000];

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function useMarket(room: Room): Market {
  const [, render] = useReducer((n: number) => n + 1, 0);
  const [market] = useState(() => new Market(room, () => render(undefined)));
  useEffect(() => () => market.close(), [market]);
  return market;
}

function Ticker({ room, state }: { room: Room; state: RoomState }) {
  const market = useMarket(room);
  const [order, setOrder] = useState<Order>('name');
  const [wanted, setWanted] = useState('');
  const [shown, setShown] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const board = useRef<Board | null>(null);
  useEffect(() => {
    const own = (board.current = new Board(list.current!, market));
    const painting = setInterval(() => own.paint(performance.now()), PAINT_MS);
    const arranging = setInterval(() => setShown(own.arrange()), ARRANGE_MS);
    return () => [painting, arranging].forEach(clearInterval);
  }, [market]);
  useEffect(() => {
    if (!board.current) return;
    Object.assign(board.current, { order, wanted });
    board.current.paint(performance.now());
    setShown(board.current.arrange());
  }, [order, wanted, market.toldAt === undefined]);
  const empty = market.quotes.size === 0;
  return (
    <main class="example ticker">
      <Bar title="Ticker" room={room} state={state} />
      <section class="desk" aria-label="Board controls">
        <Figures market={market} state={state} />
        <Feed market={market} room={room} />
      </section>
      <section class="sheet" aria-label="Board">
        {!empty && <Finder order={order} onOrder={setOrder} onWanted={setWanted} />}
        <ul ref={list} class={`quotes ${state === 'online' ? '' : 'lost'}`} aria-label="Prices" hidden={empty} />
        {!empty && wanted && shown === 0 && <p class="nothing">No symbol has “{wanted}” in its name.</p>}
        {empty && <Empty fed={market.feeder !== undefined} />}
      </section>
    </main>
  );
}

function Empty({ fed }: { fed: boolean }) {
  return (
    <div class="nothing">
      <h2>{fed ? 'Prices are on their way' : 'No prices yet'}</h2>
      <p class="quiet">Press “Feed this board” and this page makes up 200 prices that move. Every page with this link shows them, however many there are.</p>
    </div>
  );
}

/** How fast the board is, and how old. Read four times a second, and not read out: it never rests. */
function Figures({ market, state }: { market: Market; state: RoomState }) {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const { told, made } = market.rates(now);
  const age = market.toldAt === undefined ? undefined : Math.max(0, now - market.toldAt) / 1_000;
  const stale = age !== undefined && (age > 2 || state !== 'online');
  return (
    <dl class="figures">
      <Figure name="Changes made" value={whole.format(made)} unit="/s" />
      <Figure name="Updates told" value={whole.format(told)} unit="/s" />
      <Figure name="Newest price" value={age === undefined ? '–' : age < 60 ? age.toFixed(1) : whole.format(age)} unit={age === undefined ? '' : 's old'} warn={stale} />
      <Figure name="Not told yet" value={whole.format(market.behind)} unit={market.behind === 1 ? 'update' : 'updates'} />
    </dl>
  );
}

function Figure({ name, value, unit, warn = false }: { name: string; value: string; unit: string; warn?: boolean }) {
  return (
    <div class={warn ? 'warn' : ''}>
      <dt>{name}</dt>
      <dd>
        {value} <small>{unit}</small>
      </dd>
    </div>
  );
}

function Feed({ market, room }: { market: Market; room: Room }) {
  const [speed, setSpeed] = useState(SPEEDS[1]!);
  const choose = (text: string) => {
    setSpeed(Number(text));
    if (market.feeding) market.start(Number(text));
  };
  const other = market.feeder !== undefined && market.feeder !== room.self.id;
  return (
    <div class="feed">
      <label class="field">
        <span>Speed</span>
        <select value={speed} disabled={other} onChange={(event) => choose(event.currentTarget.value)}>
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {whole.format(each)}/s
            </option>
          ))}
        </select>
      </label>
      <button type="button" class={`button ${market.feeding ? '' : 'primary'}`} disabled={other && !market.feeding} onClick={() => (market.feeding ? market.stop() : market.start(speed))}>
        {market.feeding ? 'Stop feeding' : 'Feed this board'}
      </button>
      <p class="quiet" role="status">
        {market.feeding ? 'This page feeds the board.' : other ? 'Another page feeds the board.' : 'Nobody feeds the board now.'}
      </p>
    </div>
  );
}

function Finder({ order, onOrder, onWanted }: { order: Order; onOrder: (order: Order) => void; onWanted: (text: string) => void }) {
  return (
    <div class="finder">
      <label class="field">
        <span>Find a symbol</span>
        <input type="text" autocomplete="off" spellcheck={false} maxLength={8} placeholder="All" onInput={(event) => onWanted(event.currentTarget.value.trim().toUpperCase())} />
      </label>
      <label class="field">
        <span>Order</span>
        <select value={order} onChange={(event) => onOrder(event.currentTarget.value as Order)}>
          <option value="name">By name</option>
          <option value="gain">Best first</option>
          <option value="loss">Worst first</option>
        </select>
      </label>
    </div>
  );
}

render(
  <Example title="Ticker" lead="A board of 200 prices. One page feeds it with thousands of changes a second, any number of pages read along." enter="Open the board">
    {(room, state) => <Ticker room={room} state={state} />}
  </Example>,
  document.getElementById('app')!,
);
