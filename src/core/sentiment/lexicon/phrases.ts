import type { TermGroup } from "./define.js";

const ANALYST = "how brokers and the press word ratings, estimates and price targets";
const RESULTS = "how results and guidance are set against expectations";

/** Sequences that mean more than their words. */
export const PHRASES: readonly TermGroup[] = [
  {
    name: "estimates beaten",
    role: "polar",
    weight: 2.2,
    source: RESULTS,
    phrases: `
      {beat} .. estimate|estimates|expectations|forecast|forecasts|consensus|street|views;
      {top} .. estimate|estimates|expectations|forecast|forecasts|consensus|street|views;
      {exceed} .. estimate|estimates|expectations|forecast|forecasts|consensus|views;
      {surpass} .. estimates|expectations|forecast|forecasts|consensus;
      better than .. expected|feared|estimates|forecast;
      above .. estimates|expectations|forecast|forecasts|consensus;
      ahead of estimates|expectations|consensus|forecasts; {beat} by; {beat} on;
      eps|revenue|earnings|profit|sales {beat}; double beat; beat and raise; positive|upside surprise;
      earnings|profit surprise
    `,
  },
  {
    name: "estimates missed",
    role: "polar",
    weight: -2.2,
    source: RESULTS,
    phrases: `
      {miss} .. estimate|estimates|expectations|forecast|forecasts|consensus|street|views|target|targets;
      {miss} by; {miss} on; worse than .. expected|feared|estimates|forecast; weaker than .. expected;
      lower than .. expected; below .. estimates|expectations|forecast|forecasts|consensus|views;
      short of .. estimates|expectations|forecast|forecasts|consensus|views|target;
      eps|revenue|earnings|profit|sales|q1|q2|q3|q4 {miss}; {fall} short; {come} up short; profit warning;
      earnings|revenue|sales warning; {warn} on|of|about|that; {withdraw} .. guidance|outlook|forecast;
      {pull} .. guidance|outlook|forecast;
      {suspend} .. dividend|guidance|buyback|outlook|operations|production;
      {scrap} .. dividend|plan|plans|guidance
    `,
  },
  {
    name: "ratings raised",
    role: "polar",
    weight: 2.3,
    source: ANALYST,
    phrases: `
      {upgrade} to|at|by|on;
      {upgrade} to .. from .. buy|outperform|overweight|hold|neutral|perform|underweight|underperform|sell|weight|line;
      {raise} to .. from .. buy|outperform|overweight|hold|neutral|perform|underweight|underperform|sell|weight;
      {start} as buy|outperform|overweight; {initiate} as buy|outperform|overweight;
      never been this|more bullish; conviction buy; bet|bets|betting big; stay invested;
      good bet|bets|buy|pick|picks; {get} into; cautiously optimistic;
      {up} to buy|outperform|overweight|neutral|hold; ups .. to buy|outperform|overweight|neutral; ups to;
      upped to; {raise} .. to buy|outperform|overweight;
      target|pt|targets raised|lifted|boosted|hiked|upped|increased;
      {raise} .. pt|target|targets|guidance|outlook|forecast|forecasts|view|dividend|estimate|estimates;
      {lift} .. pt|target|targets|guidance|outlook|forecast|forecasts|dividend;
      {boost} .. pt|target|targets|guidance|outlook|forecast|dividend;
      {hike} .. pt|target|targets|guidance|outlook|dividend; {start} .. at|with buy|outperform|overweight;
      {initiate} .. at|with buy|outperform|overweight; {boost} .. to buy|outperform|overweight; to buy from;
      is a .. buy; a buy; buy call; buy rating; top pick|picks|gainer|gainers; best idea|ideas; new bull;
      turns|turn|turned bullish|positive|constructive; {warm} up to; time to buy; buying opportunity;
      {add} to .. conviction|focus|best; under valued
    `,
  },
  {
    name: "ratings lowered",
    role: "polar",
    weight: -2.3,
    source: ANALYST,
    phrases: `
      {downgrade} to|at|by|on;
      {downgrade} to .. from .. buy|outperform|overweight|hold|neutral|perform|underweight|underperform|sell|weight|line;
      {cut} to .. from .. buy|outperform|overweight|hold|neutral|perform|underweight|underperform|sell|weight|line;
      {cut} from conviction buy; {pull} the plug; do not|don't buy|prefer; {cut} to|at; {cut} from;
      target|pt|targets cut|lowered|slashed|trimmed|reduced;
      {cut} .. pt|target|targets|guidance|outlook|forecast|forecasts|view|dividend|estimate|estimates|rating;
      {lower} .. pt|target|targets|guidance|outlook|forecast|forecasts|view|estimates;
      {slash} .. pt|target|targets|guidance|outlook|forecast|forecasts|dividend|estimates;
      {trim} .. pt|target|targets|guidance|outlook|forecast|forecasts|estimates;
      {start} .. at|with sell|underperform|underweight; {initiate} .. at|with sell|underperform|underweight;
      from buy; sell call|rating|signal; is a sell; {lose} a bull; new bear; street low; goes|go|going short;
      short seller|sellers|report; top losers|loser; {hit} .. sidelines; to the sidelines;
      turns|turn|turned bearish|negative|cautious; {stay} away; book profit|profits; profit booking|taking;
      {book} profit|profits; {take} profit|profits; exit from; {avoid} the; stop loss of
    `,
  },
  {
    name: "highs",
    role: "polar",
    weight: 1.8,
    source: "price records",
    phrases: `
      record high|highs|close|profit|sales|revenue|earnings|quarter|level|levels; all time high|highs;
      life time high; lifetime high; new high|highs; fresh high|highs|record;
      week|month|year high|highs|peak; upper circuit; highest .. since|ever|level;
      {hit} .. high|highs|record; # fold; two|three|four|five fold; {top} # points|mark; above # mark;
      bull market|run|case|cross; short covering|squeeze; bargain|value|fresh buying|hunting;
      {pare} .. losses; {recoup} .. losses; {erase} .. losses; {trim} .. losses; {reverse} .. losses;
      {snap} .. losing|fall|losses|decline|slide; {look} past; {shrug} off; golden cross; {break} out;
      {edge} towards record; in the|the black; in green
    `,
  },
  {
    name: "lows",
    role: "polar",
    weight: -1.9,
    source: "price lows and selling",
    phrases: `
      record low|lows|loss; all time low|lows; new low|lows; fresh low|lows;
      week|month|year|day|session low|lows|bottom; lower circuit; lowest .. since|ever|level;
      {hit} .. low|lows; worst .. since|ever|day|week|month|quarter|year|decline|drop;
      bear market|case|territory; death cross; {pare} .. gains; {erase} .. gains; {trim} .. gains;
      {give} up .. gains; {wipe} out|off; {extend} .. losses|decline|slide|fall|losing; {add} to losses;
      in|into red; in the red; selling pressure; under pressure; {take} .. toll; {take} a hit;
      {lose} steam|ground|momentum|confidence|money|value|sheen|shine; losing streak; {run} out of;
      key support break; {break} .. support; {drag} down; {weigh} on|down; {sell} .. off; exit stocks;
      promoter|promoters .. {sell}
    `,
  },
  {
    name: "corporate good news",
    role: "polar",
    weight: 1.6,
    source: "company events that owners welcome: orders, approvals, buybacks, wins",
    phrases: `
      share|stock buyback|repurchase; special dividend;
      {win} .. order|orders|contract|contracts|deal|approval|award;
      {bag} .. order|orders|contract|contracts|deal|project; order win|wins;
      {secure} .. order|contract|approval|funding; {get} .. approval|nod|order|clearance;
      {receive} .. approval|nod|order|clearance; fda approval|approves|nod|clears;
      {return} to profit|growth|profitability; {turn} profitable; back in black;
      {meet} .. endpoint|endpoints;
      strong|robust|solid|healthy|upbeat|stellar .. results|earnings|growth|demand|quarter|sales|guidance|numbers|outlook;
      {gain} .. traction|momentum|share|ground; market share gains;
      good|great|strong|decent .. buy|returns|return|growth|upside;
      {look} good|attractive|strong|better|promising; {do} well; cash cow; credit positive;
      growth .. potential|momentum; {bode} well; over subscribed; fund raising; # oversubscribed
    `,
  },
  {
    name: "corporate bad news",
    role: "polar",
    weight: -1.8,
    source: "company events that owners fear: insolvency, fraud, suits, dilution, layoffs",
    phrases: `
      {file} for bankruptcy|protection; chapter #; class action; equity|stock|share|secondary offering;
      common stock offering; going concern; job|jobs cuts|cut|losses; {cut} .. jobs|workers|staff|workforce;
      {lay} off; {close} .. stores|plant|plants|branches; store closures;
      accounting irregularities|scandal|fraud; data breach; bad loans|loan|debt|debts|bank; asset quality;
      {halt} .. production|trading|trial|operations; trading halt; {fail} to|in;
      {miss} .. endpoint|deadline|payment|payments; clinical hold; complete response letter;
      weak|soft|poor|sluggish|disappointing|dismal|tepid|subdued|lower|muted .. results|earnings|growth|demand|quarter|sales|guidance|numbers|outlook|data|offtake|cues;
      trade war|tensions; rail|workers strike; debt crisis; margin|cost pressure|pressures|call|calls;
      supply chain disruption|disruptions; credit negative; inverted yield; yield curve inversion;
      {put} on hold; {be} dumping; are selling; house arrest; show cause
    `,
  },
];
