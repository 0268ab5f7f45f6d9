"use strict";
/* More than two classes: the cut of each is moved, and the kept decisions are counted anew. */
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("stepping").textContent);
  const C = data.classes.length;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const state = { arm: data.arm, moved: new Array(C).fill(0), costs: data.costs && data.costs.map((row) => [...row]) };
  const cells = [...document.querySelectorAll(".confusion.many tbody tr")].map((row) => [...row.querySelectorAll("td")]);
  const caption = byId("decisions-caption");

  const kept = {};
  function decisions(arm) {
    if (!kept[arm]) {
      const own = data.arms[arm];
      const behind = new Uint16Array(bytes(own.behind).buffer);
      kept[arm] = {
        truth: bytes(own.truth),
        times: new Float32Array(bytes(own.times).buffer),
        z: Float64Array.from(behind, (v) => -v * own.unit),
      };
    }
    return kept[arm];
  }

  /* [truth][decision] if log-probabilities are moved so far: the largest is decided, or the cheapest. */
  function table(arm, moved, costs) {
    const { truth, times, z } = decisions(arm);
    const out = data.classes.map(() => new Array(C).fill(0));
    const p = new Float64Array(C);
    for (let r = 0; r < truth.length; r += 1) {
      let best = 0, least = Infinity;
      if (costs) for (let c = 0; c < C; c += 1) p[c] = Math.exp(z[r * C + c] + moved[c]);
      for (let c = 0; c < C; c += 1) {
        let price = 0;
        if (costs) for (let y = 0; y < C; y += 1) price += p[y] * costs[y][c];
        else price = -z[r * C + c] - moved[c];
        if (price < least) { least = price; best = c; }
      }
      out[truth[r]][best] += times[r];
    }
    return out;
  }

  /* Numbers as the page without script says them. */
  const sum = (all) => all.reduce((a, b) => a + b, 0);
  const fixed = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const count = (value) => fixed(value, 0);
  const three = (value) => Number.isFinite(value) ? value.toFixed(3) : "–";
  const change = (value) => { const n = Math.round(value); return n ? (n > 0 ? "+" : "−") + count(Math.abs(n)) : "±0"; };
  function whole(row) {
    const rows = row.map(Math.floor), short = Math.round(sum(row)) - sum(rows);
    const left = row.map((n, i) => Math.round(1000 * (rows[i] - n)));
    const order = row.map((_, i) => i).sort((a, b) => left[a] - left[b]);
    for (const i of order.slice(0, short)) rows[i] += 1;
    return rows;
  }
  function times(value) {
    return "× " + value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(value))));
  }

  const column = (rows, c) => sum(rows.map((row) => row[c]));
  const right = (rows) => sum(rows.map((row, i) => row[i]));
  const cost = (rows) => sum(rows.map((row, y) => sum(row.map((n, c) => n * state.costs[y][c]))));
  const verdict = table(data.arm, state.moved, data.costs);
  const before = cells.map((row) => row.map((td) => Number(td.querySelector("b").textContent.replaceAll(",", ""))));
  const first = {
    caption: caption.textContent,
    cells: cells.map((row) => row.map((td) => [td.querySelector("b").textContent, td.querySelector("small").textContent, td.style.getPropertyValue("--depth")])),
    lines: data.classes.map((_, i) => ["recall", "precision"].map((key) => byId("step-" + i + "-" + key).textContent)),
  };

  function setText(at, text) {
    if (at.textContent !== text) at.textContent = text;
  }

  function draw(rows) {
    const total = sum(rows.map(sum)), shares = rows.map((row) => row.map((n) => n / Math.max(1, sum(row))));
    const worst = Math.max(...shares.flatMap((row, i) => row.filter((_, c) => c !== i))) || 1;
    rows.forEach((row, i) => row.forEach((n, c) => {
      const td = cells[i][c];
      setText(td.querySelector("b"), count(n));
      setText(td.querySelector("small"), fixed(1000 * n / total, 1) + " of 1000");
      td.style.setProperty("--depth", Math.round(100 * (i === c ? shares[i][c] : shares[i][c] / worst)) + "%");
    }));
  }

  let saying;
  function show() {
    const own = data.arms[state.arm];
    const priced = data.costs !== null && JSON.stringify(state.costs) !== JSON.stringify(data.costs);
    const rest = state.arm === data.arm && !priced && state.moved.every((v) => v === 0);
    const exact = table(state.arm, state.moved, state.costs), rows = rest ? before : exact.map(whole);
    if (rest) {
      cells.forEach((row, i) => row.forEach((td, c) => {
        const [n, per, depth] = first.cells[i][c];
        setText(td.querySelector("b"), n);
        setText(td.querySelector("small"), per);
        td.style.setProperty("--depth", depth);
      }));
    } else draw(rows);
    setText(caption, rest ? first.caption : "Decisions of " + state.arm + " on held-out rows, "
      + (state.moved.some((v) => v !== 0) ? "with the cuts that you moved" : "as it is trained")
      + (priced ? ", at your costs" : "") + data.counted);

    const used = own.multiply.map((v, i) => v * Math.exp(state.moved[i]));
    data.classes.forEach((name, i) => {
      const slider = byId("step-" + i), there = sum(exact[i]), called = column(exact, i), hit = exact[i][i];
      slider.value = Math.round(state.moved[i] / data.step);
      setText(byId("step-" + i + "-said"), times(used[i]));
      setText(byId("step-" + i + "-recall"), rest ? first.lines[i][0] : three(hit / there));
      setText(byId("step-" + i + "-precision"), rest ? first.lines[i][1] : three(hit / called));
      const gained = change(rows[i][i] - before[i][i]);
      const wrong = change(column(rows, i) - rows[i][i] - column(before, i) + before[i][i]);
      setText(byId("step-" + i + "-gained"), gained);
      setText(byId("step-" + i + "-wrong"), wrong);
      slider.setAttribute("aria-valuetext", times(used[i]) + ", " + count(rows[i][i]) + " of " + count(sum(rows[i])) + " found");
    });
    const more = right(rows) - right(before);
    const total = sum(rows.map(sum));
    let said = count(right(rows)) + " of " + count(total) + " rows right" + (rest ? "." : more ? ", " + count(Math.abs(more)) + (more > 0 ? " more" : " fewer") + " than by the verdict." : ", as many as by the verdict.");
    if (state.costs) {
      const now = 1000 * cost(exact) / total, then = 1000 * cost(verdict) / total;
      said += " 1000 rows cost " + fixed(now, 1) + (rest ? "." : "; by the verdict's decisions " + fixed(then, 1) + ".");
    }
    setText(byId("steps-total"), said);
    setText(byId("steps-use"), used.every((v) => Math.abs(v - 1) < 1e-9) ? ""
      : "To decide so, multiply the probabilities by " + data.classes.map((name, i) => name + " " + times(used[i]).slice(2)).join(", ")
        + "; then take the " + (state.costs ? "cheapest." : "largest."));
    byId("back").disabled = rest;
    clearTimeout(saying);
    saying = setTimeout(() => setText(byId("said"), said), 250);
  }

  data.classes.forEach((_, i) => {
    byId("step-" + i).addEventListener("input", (event) => {
      state.moved[i] = Number(event.target.value) * data.step;
      show();
    });
    for (let c = 0; state.costs && c < C; c += 1) {
      byId("cost-" + i + "-" + c)?.addEventListener("input", (event) => {
        const value = event.target.valueAsNumber;
        if (!(value >= 0)) return;
        state.costs[i][c] = value;
        show();
      });
    }
  });
  const choices = [...document.querySelectorAll("input[name=arm]")];
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      state.arm = Object.keys(data.arms)[Number(choice.value)];
      show();
    });
  }
  byId("back").addEventListener("click", () => {
    state.arm = data.arm;
    state.moved.fill(0);
    state.costs = data.costs && data.costs.map((row) => [...row]);
    for (const choice of choices) choice.checked = Object.keys(data.arms)[Number(choice.value)] === data.arm;
    for (const field of document.querySelectorAll(".costs input")) field.value = field.defaultValue;
    show();
    byId("step-0").focus();
  });
  byId("controls").hidden = false;
  show();
})();
