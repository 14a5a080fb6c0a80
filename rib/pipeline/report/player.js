"use strict";
// One hidden video holds both sides; each of its frames is drawn on two canvases, so the sides cannot drift apart.
const preview = report.preview;
const COLOURS = { left: "#ff9f40", right: "#35c2ff", middle: "#f4f4f4" };

async function player() {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto", loop: true });
  const bytes = Uint8Array.from(atob($("video").textContent), (letter) => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  const sides = ["left", "right"].map((id) => $(id).getContext("2d"));
  for (const side of sides) Object.assign(side.canvas, { width: preview.width, height: preview.height });
  $("stage").classList.toggle("wide", preview.width >= preview.height);
  $("stage").style.setProperty("--ratio", preview.width / preview.height);
  $("slider").max = preview.frames - 1;
  let shown = 0, wanted = null;

  const clamp = (frame) => Math.min(Math.max(frame, 0), preview.frames - 1);
  const at = (time) => clamp(Math.floor(time * preview.fps + 1e-3));

  function draw(frame) {
    shown = frame;
    sides.forEach((side, i) => {
      side.drawImage(video, i * preview.cell, 0, preview.width, preview.height, 0, 0, preview.width, preview.height);
      if (!$("skeleton").checked) return;
      for (const person of preview.people.filter((each) => each.shown)) {
        skeleton(side, i ? person.poses[frame] : person.keyframe_poses[preview.held[frame]]);
      }
    });
    $("slider").value = frame;
    $("slider").style.setProperty("--at", `${100 * frame / Math.max(preview.frames - 1, 1)}%`);
    tell(frame);
  }

  // Seeks are slower than a finger: only the last frame asked for is fetched.
  function show(frame) {
    video.pause();
    const busy = wanted !== null;
    wanted = clamp(frame);
    if (!busy) seek();
  }
  function seek() {
    const frame = wanted;
    video.addEventListener("seeked", () => {
      draw(frame);
      if (wanted !== frame) return seek();
      wanted = null;
    }, { once: true });
    video.currentTime = (frame + 0.5) / preview.fps;
  }

  const follow = "requestVideoFrameCallback" in video
    ? (then) => video.requestVideoFrameCallback((_, frame) => then(frame.mediaTime + 0.25 / preview.fps))
    : (then) => requestAnimationFrame(() => then(video.currentTime));
  function step(time) {
    if (video.paused) return;
    draw(at(time));
    follow(step);
  }
  video.addEventListener("play", () => { state(true); follow(step); });
  video.addEventListener("pause", () => state(false));

  function state(playing) {
    $("play").classList.toggle("playing", playing);
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  }
  const toggle = () => video.paused ? video.play() : show(shown);

  $("play").addEventListener("click", toggle);
  $("back").addEventListener("click", () => show((wanted ?? shown) - 1));
  $("forward").addEventListener("click", () => show((wanted ?? shown) + 1));
  $("slider").addEventListener("input", () => show($("slider").valueAsNumber));
  $("skeleton").addEventListener("change", () => video.paused ? show(shown) : undefined);
  tracks(() => video.paused ? show(shown) : undefined);
  document.addEventListener("go", (event) => { show(Math.ceil(event.detail * preview.fps - 1e-6)); $("player").scrollIntoView({ block: "nearest" }); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("summary")) return;
    const keys = { ArrowLeft: () => show((wanted ?? shown) - 1), ArrowRight: () => show((wanted ?? shown) + 1), " ": toggle, Home: () => show(0), End: () => show(preview.frames - 1), s: () => $("skeleton").click() };
    if (!keys[event.key] || (event.key === " " && event.target.matches?.("input[type=checkbox], button"))) return;
    event.preventDefault();
    keys[event.key]();
  });
  speeds(video);
  await new Promise((ready) => video.addEventListener("loadeddata", ready, { once: true }));
  show(0);
}

function skeleton(side, points) {
  const unit = Math.max(preview.width, preview.height) / 480;
  side.lineCap = "round";
  for (const [a, b, where] of preview.limbs) {
    if (points[2 * a] === null || points[2 * b] === null) continue;
    side.beginPath();
    side.moveTo(points[2 * a], points[2 * a + 1]);
    side.lineTo(points[2 * b], points[2 * b + 1]);
    for (const [colour, width] of [["rgb(0 0 0 / .55)", 3.6], [COLOURS[where], 1.8]]) {
      Object.assign(side, { strokeStyle: colour, lineWidth: width * unit });
      side.stroke();
    }
  }
}

// One button a person, where there are several.
function tracks(changed) {
  for (const person of preview.people) {
    person.shown = true;
    const button = Object.assign(element("button", person.id), { title: `Skeleton of person ${person.id}` });
    button.setAttribute("aria-pressed", true);
    button.addEventListener("click", () => {
      person.shown = !person.shown;
      if (person.shown) $("skeleton").checked = true;
      button.setAttribute("aria-pressed", person.shown);
      changed();
    });
    $("tracks").append(button);
  }
  $("tracks").hidden = preview.people.length < 2;
}

function alone(frame) {
  const time = frame / preview.fps;
  return report.fallbacks.find((each) => time >= each.start_s - 1e-6 && time <= each.end_s + 1e-6);
}

function tell(frame) {
  const keyframe = preview.keyframe[frame], held = preview.held[frame];
  const fallback = keyframe < 0 && alone(frame);
  $("frame").textContent = `Frame ${frame} / ${preview.total - 1} · ${(frame / preview.fps).toFixed(3)} s`;
  $("kind").textContent = keyframe >= 0 ? `keyframe ${keyframe}` : fallback ? fallback.why : `made between keyframes ${held} and ${held + 1}`;
  $("kind").className = keyframe >= 0 ? "" : fallback ? "alone" : "made";
  $("left-note").textContent = keyframe >= 0 ? `keyframe ${held}` : `keyframe ${held}, held`;
}

function speeds(video) {
  const buttons = [...$("speeds").children];
  const choose = (speed) => {
    video.defaultPlaybackRate = video.playbackRate = speed;
    for (const button of buttons) button.setAttribute("aria-pressed", Number(button.dataset.speed) === speed);
  };
  for (const button of buttons) button.addEventListener("click", () => choose(Number(button.dataset.speed)));
  choose(1);
}

function strip() {
  const place = (frame) => `${100 * frame / Math.max(preview.frames - 1, 1)}%`;
  const keyframes = preview.keyframe.flatMap((keyframe, frame) => keyframe >= 0 ? [frame] : []);
  if (keyframes.length <= 240) {
    for (const frame of keyframes) $("strip").append(Object.assign(element("i"), { style: `left: ${place(frame)}` }));
  }
  for (const { start_s, end_s, why } of report.fallbacks) {
    const [from, to] = [start_s, end_s].map((time) => Math.min(time * preview.fps, preview.frames - 1));
    if (to > from) $("strip").append(Object.assign(element("b", "", { title: why }), { style: `left: ${place(from)}; width: calc(${place(to)} - ${place(from)})` }));
  }
}

if (preview) {
  $("player").hidden = false;
  $("right-note").textContent = report.result_note;
  $("left-note").title = report.input_note;
  $("cut").textContent = report.cut;
  strip();
  player();
}
