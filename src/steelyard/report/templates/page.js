"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const views = new Map();

  /* Code that can be copied. */
  for (const pre of document.querySelectorAll("pre")) {
    const button = document.createElement("button");
    const title = pre.closest("article").querySelector("h3").textContent;
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the code for " + title);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    pre.closest("article").querySelector("header").append(button);
  }

  /* The contents follow the scroll. */
  const links = new Map([...document.querySelectorAll(".toc a")].map((link) => [byId(link.hash.slice(1)), link]));
  const follow = () => {
    let here = null;
    for (const [at, link] of links) {
      if (here === null || at.getBoundingClientRect().top < innerHeight / 3) here = link;
    }
    if (scrollY + innerHeight >= document.documentElement.scrollHeight - 2) here = [...links.values()].at(-1);
    for (const link of links.values()) {
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", follow, { passive: true });
  addEventListener("resize", follow);
  follow();

  /* One weighting is lit in every table and chart that it stands in: what is pointed at, else what was chosen. */
  const rowsOfArms = [...document.querySelectorAll("[data-arm]")];
  const arms = new Set(rowsOfArms.map((row) => row.dataset.arm));
  let chosen = null, lit = null;
  const armOf = (element) => {
    const datum = element.__data__?.datum; // Vega's
    return [datum?.series, datum?.arm, datum?.value].find((name) => arms.has(name)) ?? null;
  };
  function light(arm) {
    lit = arm ?? chosen;
    for (const row of rowsOfArms) row.classList.toggle("lit", row.dataset.arm === lit);
    for (const button of document.querySelectorAll(".arms button")) {
      button.classList.toggle("lit", button.dataset.arm === lit);
      button.setAttribute("aria-pressed", String(button.dataset.arm === chosen));
    }
    document.querySelectorAll(".live").forEach(dim);
  }
  /* A chart without the lit weighting stays as it is. */
  function dim(chart) {
    const drawn = [...chart.querySelectorAll("svg path, svg text")].map((element) => [element, armOf(element)]);
    const here = lit !== null && drawn.some(([, arm]) => arm === lit);
    for (const [element, arm] of drawn) element.classList.toggle("dim", here && arm !== null && arm !== lit);
  }
  const pointed = (event) => event.target.closest?.("[data-arm]")?.dataset.arm ?? (event.target.closest?.(".live") ? armOf(event.target) : null);
  for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, (event) => { if ((pointed(event) ?? chosen) !== lit) light(pointed(event)); });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("details, a, label, input")) return;
    const arm = pointed(event);
    if (arm === null) return;
    chosen = chosen === arm ? null : arm;
    light(arm);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && lit !== null) { chosen = null; light(null); }
  });

  /* On paper everything is open and nothing is lit. */
  let closed = [];
  addEventListener("beforeprint", () => {
    chosen = null;
    light(null);
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });

  /* Over charts of several weightings stand their names, to be pointed at and chosen. */
  function legend(charts, specs) {
    const keys = [...charts.querySelectorAll(".picture")].map((picture) => picture.id.replace(/-still$/, ""));
    const rows = keys.flatMap((key) => Object.values(specs[key]?.datasets ?? {}).flat());
    const there = [...new Set(rows.flatMap((row) => [row.series, row.arm]))].filter((name) => arms.has(name));
    if (there.length < 2) return;
    const group = document.createElement("div");
    group.className = "arms";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Light one weighting in every chart and table");
    for (const name of there) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.dataset.arm = name;
      button.setAttribute("aria-pressed", "false");
      group.append(button);
    }
    charts.before(group);
  }

  /* What the sliders set. Numbers are rounded as the page without script rounds them. */
  const data = read("operating");
  const state = data && { arm: data.arm, at: data.at, ratio: data.ratio };

  const fixed = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const count = (value) => fixed(value, 0);
  const three = (value) => Number.isFinite(value) ? value.toFixed(3) : "–";
  const amount = (value) => Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 6 });
  const percent = (some, of) => {
    if (!of) return "none";
    const share = some / of;
    return (share >= 0.001 || share === 0 ? (100 * share).toFixed(1) : Number((100 * share).toPrecision(2))) + " %";
  };

  function rowsAt(i, arm = state.arm) {
    const table = data.tables[arm];
    const [tp, fn, fp, tn] = ["tp", "fn", "fp", "tn"].map((key) => table[key][i]);
    return { tp, fn, fp, tn, called: tp + fp, total: tp + fn + fp + tn, label: table.label[i], t: table.t[i] };
  }

  function cost(row) {
    return 1000 * (row.fn * state.ratio + row.fp) / row.total;
  }

  /* The cheapest kept threshold of the arm; of several the highest, which calls the fewest rows. Where the report itself says
     which it is, at the slider's stop, it is that one. */
  function cheapest() {
    const asked = state.arm === data.arm && data.asked.find(([ratio]) => RATIO.to(ratio) === RATIO.to(state.ratio));
    if (asked) return asked[1];
    let best = 0;
    data.tables[state.arm].t.forEach((_, i) => { if (cost(rowsAt(i)) <= cost(rowsAt(best))) best = i; });
    return best;
  }

  /* The lowest threshold that calls no more than `rows` of every `per`. */
  function within(rows) {
    const all = data.tables[state.arm].t;
    const found = all.findIndex((_, i) => rowsAt(i).called * data.per <= rows * rowsAt(i).total);
    return found < 0 ? all.length - 1 : found;
  }

  function nearest(t) {
    const all = data.tables[state.arm].t;
    return all.reduce((best, v, i) => Math.abs(v - t) < Math.abs(all[best] - t) ? i : best, 0);
  }

  const RATIO = { from: (v) => 10 ** (v / 20), to: (r) => Math.round(20 * Math.log10(r)) };
  const CAPACITY = {
    from: (v) => Math.max(1, Math.round(Number((data.per ** (v / 100)).toPrecision(2)))),
    to: (rows) => Math.round(100 * Math.log(Math.max(1, rows)) / Math.log(data.per)),
  };

  function setText(id, text) {
    const at = byId(id);
    if (at && at.textContent !== text) at.textContent = text;
  }

  let saying;
  function show(capacity) {
    const row = rowsAt(state.at), called = row.called * data.per / row.total;
    const slider = byId("threshold"), price = byId("ratio"), room = byId("capacity");
    const name = '"' + data.positive + '"', low = rowsAt(cheapest());
    slider.max = data.tables[state.arm].t.length - 1;
    slider.value = state.at;
    slider.setAttribute("aria-valuetext", row.label);
    setText("threshold-said", row.label);

    price.value = RATIO.to(state.ratio);
    const worth = state.ratio >= 1
      ? amount(state.ratio) + (state.ratio === 1 ? " false alarm" : " false alarms")
      : "1/" + amount(1 / state.ratio) + " of a false alarm";
    price.setAttribute("aria-valuetext", worth);
    setText("ratio-said", worth);
    setText("cheapest-said", "cheapest here: threshold " + low.label + ", " + fixed(cost(low), 1) + " false alarms per 1000 rows");

    const rows = capacity ?? called;
    room.value = CAPACITY.to(rows);
    const checked = capacity === undefined ? amount(called) + " are called" : count(capacity) + " can be checked, " + amount(called) + " are called";
    room.setAttribute("aria-valuetext", checked + ", of " + count(data.per));
    setText("capacity-said", checked);

    for (const key of ["tp", "fn", "fp", "tn"]) {
      setText("cell-" + key, count(row[key]));
      setText("cell-" + key + "-per", fixed(1000 * row[key] / row.total, 1) + " of 1000");
    }
    const positives = row.tp + row.fn;
    setText("recall-says", "Of " + count(positives) + " rows that are " + name + ", " + percent(row.tp, positives) + " are found.");
    setText("precision-says", "Of " + count(row.called) + " rows called " + name + ", " + percent(row.tp, row.called) + " are right.");
    byId("recall-bar").style.width = (positives ? 100 * row.tp / positives : 0) + "%";
    byId("precision-bar").style.width = (row.called ? 100 * row.tp / row.called : 0) + "%";
    setText("precision-value", three(row.tp / row.called));
    setText("recall-value", three(row.tp / positives));
    setText("f1-value", three(2 * row.tp / (2 * row.tp + row.fp + row.fn)));
    setText("called-value", fixed(1000 * row.called / row.total, 1));
    setText("cost-value", fixed(cost(row), 1));
    const moved = state.arm !== data.arm || state.at !== data.at;
    setText("decisions-caption", moved
      ? "Decisions of " + state.arm + " on held-out rows, at threshold " + row.label + ", which you chose on these rows" + data.counted
      : byId("decisions-caption").dataset.first);
    byId("back").disabled = !moved && state.ratio === data.ratio;

    clearTimeout(saying);
    saying = setTimeout(() => {
      setText("said", "Threshold " + row.label + ": " + count(row.tp) + " of " + count(positives) + " " + name + " found, "
        + count(row.fp) + " false alarms, cost " + fixed(cost(row), 1) + " per 1000 rows.");
    }, 250);
    views.forEach(mark);
  }

  /* The marks in the charts follow. */
  function mark(view) {
    const known = view.getState().signals;
    for (const name of ["arm", "at", "ratio"]) if (name in known) view.signal(name, state[name]);
    view.runAsync().then(() => dim(view.container()));
  }

  if (data) {
    const first = byId("decisions-caption");
    first.dataset.first = first.textContent;
    byId("threshold").addEventListener("input", (event) => { state.at = Number(event.target.value); show(); });
    byId("ratio").addEventListener("input", (event) => {
      state.ratio = RATIO.from(Number(event.target.value));
      state.at = cheapest();
      show();
    });
    byId("capacity").addEventListener("input", (event) => {
      const rows = CAPACITY.from(Number(event.target.value));
      state.at = within(rows);
      show(rows);
    });
    for (const choice of document.querySelectorAll("input[name=arm]")) {
      choice.addEventListener("change", () => {
        const before = rowsAt(state.at).t;
        state.arm = Object.keys(data.tables)[Number(choice.value)];
        state.at = nearest(before);
        show();
      });
    }
    byId("back").addEventListener("click", () => {
      Object.assign(state, { arm: data.arm, at: data.at, ratio: data.ratio });
      const chosen = Object.keys(data.tables).indexOf(data.arm);
      for (const choice of document.querySelectorAll("input[name=arm]")) choice.checked = Number(choice.value) === chosen;
      show(data.capacity ?? undefined);
      byId("threshold").focus();
    });
    byId("controls").hidden = false;
    show(data.capacity ?? undefined);
  }

  /* The charts, live in place of the still ones. Expressions are interpreted, not compiled, so that nothing is evaluated. */
  const options = { ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true } };
  const specs = read("charts");
  document.querySelectorAll(".charts").forEach((charts) => legend(charts, specs));

  /* What is said where the pointer is on a line: on unseen points along it, which the still picture need not carry. */
  function told(spec) {
    const tooltip = spec.usermeta?.tooltip;
    if (!tooltip) return spec;
    const { mark, encoding, ...rest } = spec;
    const layer = spec.layer ?? [{ mark, encoding, data: spec.data, transform: spec.transform }];
    const { x, y } = layer[0].encoding;
    const shown = { ...layer[0], mark: { type: "point", opacity: 0, size: 220 }, encoding: { x, y, detail: { field: "series" }, tooltip } };
    return { ...(spec.layer ? spec : rest), layer: [...layer, shown] };
  }
  const drawn = Object.entries(specs).map(async ([key, spec]) => {
    const still = byId(key + "-still");
    const live = document.createElement("div");
    live.className = "live";
    const made = await window.vegaEmbed(live, told(spec), options);
    for (const name of ["role", "aria-roledescription", "aria-label"]) live.removeAttribute(name);
    live.setAttribute("aria-hidden", "true");
    still.replaceChildren(live);
    views.set(key, made.view);
    if (state) mark(made.view);
  });
  Promise.allSettled(drawn).then((all) => {
    for (const one of all) if (one.status === "rejected") console.error(one.reason);
    document.documentElement.dataset.charts = "live";
  });
})();
