import type { TermGroup } from "./define.js";

const GRAMMAR = "closed classes of English grammar";

/** Words that change what others weigh. */
export const MODIFIERS: readonly TermGroup[] = [
  {
    name: "negators",
    role: "negator",
    weight: -1,
    source: `${GRAMMAR}; contractions in n't are negators by their ending`,
    verbs: "fail",
    words:
      "not no never none nor neither without cannot cant wont dont doesnt didnt isnt wasnt arent unlikely hardly unable lack lacks lacking nothing barely refuses denies deny denied",
  },
  {
    name: "intensifiers",
    role: "scale",
    weight: 1.35,
    source: GRAMMAR,
    words: `very extremely hugely massively sharply significantly strongly dramatically substantially steeply heavily
      deeply severely highly much far huge massive major sharp big biggest steep heavy deep
      considerably enormously soundly handily aggressively exponentially sizable drastic drastically`,
  },
  {
    name: "diminishers",
    role: "scale",
    weight: 0.65,
    source: GRAMMAR,
    words: `slightly somewhat modestly marginally partly partially little slight mild mildly marginal modest fractionally
      moderately moderate gradually temporary temporarily minor small nominally barely limited`,
  },
  {
    name: "possibility",
    role: "hedge",
    weight: 0.75,
    source: `modal verbs and adverbs; ${GRAMMAR}`,
    words:
      "may might could would should if whether possibly perhaps maybe potentially rumored reportedly seeks seek mulls mull considers weighs plans proposes eyes ponders",
  },
  {
    name: "contrast",
    role: "contrast",
    weight: 1.3,
    source: GRAMMAR,
    words: "but however yet nevertheless nonetheless",
  },
  {
    name: "concession",
    role: "contrast",
    weight: 0.5,
    source: GRAMMAR,
    words: "although though despite notwithstanding",
  },
  {
    name: "idioms",
    role: "idiom",
    weight: 0,
    source: "particles and names in which up, down, gain, cut and the like tell no direction",
    phrases: `
      up to; {set} up; {sign} up; {start} up; {follow} up; {end} up; {round} up; {line} up; {show} up;
      {open} up; {wrap} up; {team} up; {make} up; {catch} up; {clean} up; {look} up; {give} up; {back} up;
      {step} up; {gear} up; {wake} up; {link} up; {tie} up; {dry} up; {mop} up; {shake} up; shake ups;
      {speed} up; {start} ups; {ramp} up; up for grabs; up for sale; up next; up and down; start ups|up;
      {step} down; {shut} down; {lock} down; {track} down; down payment; down to earth; {break} down;
      capital gains; {gain} access; {gain} approval; higher education; dividend yield; dividend stocks|stock;
      growth stocks|stock|fund|funds|strategy|officer|investor|equity; value stocks; short term; short video;
      long term; hedge funds|fund; risk management|parameters|factors|officer|free; free trade;
      profit and loss; trade war truce; stop loss; cut off; {cut} short; {cut} a deal;
      {strike} .. deal|agreement; short to medium; share sale|sales; {firm} up; price cut;
      {raise} .. questions|awareness|eyebrows; good|great|best stock|stocks to buy;
      stock|stocks to buy|watch; heart|kidney failure; worst of; law firm|firms; the best; best of;
      {win} the; too good; {raise} # crore|million|billion|lakh; good morning|afternoon|evening|friday;
      happy birthday|holidays|thanksgiving|new; best buy|practices; buy or sell; buy and hold; buy , sell;
      buy sell; buys and sells; buy side; sell side; better buy; outperform or; black friday;
      interest rates|rate; rate cut|cuts|hike|hikes; beyond meat; crash course; rising star|stars;
      free cash flow; fall through; falls church; down under; in the fall of; advance auto;
      advanced micro|energy|drainage; under armour; strong buy|buys; gain insight|insights; no .. change
    `,
  },
];
