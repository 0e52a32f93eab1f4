import { describe, expect, it } from "vitest";
import { createRng } from "../../src/core/base/rng.js";
import { delongAreas, delongTest } from "../../src/core/learning/auc-error.js";
import { calibrate, fitIsotonic, fitPlatt, poolAdjacent } from "../../src/core/learning/calibrate.js";
import { twoProportionTest, welchTest } from "../../src/core/learning/compare.js";
import { createAdaptiveWindow, observe } from "../../src/core/learning/drift.js";
import {
  areaUnderCurve,
  brierParts,
  decideAt,
  expectedCalibrationError,
  logLoss,
  macroF1,
  reliabilityCurve,
} from "../../src/core/learning/metrics.js";
import { coefficientsOf, ONLINE_SETTINGS, trainOnline } from "../../src/core/learning/online-logistic.js";
import {
  jumpingStream,
  logisticSamples,
  noisierScores,
  overconfidentRows,
} from "../fixtures/learning-rows.js";

// Figures of scikit-learn 1.9.1, SciPy 1.17.1, statsmodels 0.15.0, MLstatkit 0.1.91 and river 0.26.1, on the rows of
// test/fixtures/learning-rows.ts by their seeds, handed over as JSON.

const TIED = overconfidentRows(1, 400, true);
const SMOOTH = overconfidentRows(2, 1_000, false);
const plain = ({ scores, labels }: typeof TIED) => ({ scores, labels });

function expectAll(found: ArrayLike<number>, figures: readonly number[], digits: number): void {
  expect(found).toHaveLength(figures.length);
  for (const [i, figure] of figures.entries()) expect(found[i]).toBeCloseTo(figure, digits);
}

describe("metrics", () => {
  it("are scikit-learn's, with weights and without", () => {
    const figures = [
      [plain(TIED), 0.7061195685048897, 0.7071340027520011, 0.23625525000000003],
      [TIED, 0.7079883878235973, 0.6954397413741784, 0.23271417747605186],
      [plain(SMOOTH), 0.7383998648996398, 0.6563877078449152, 0.21892276315929882],
      [SMOOTH, 0.7270215793278906, 0.6699868619441212, 0.22440213416727897],
    ] as const;
    for (const [rows, area, loss, brier] of figures) {
      expect(areaUnderCurve(rows)).toBeCloseTo(area, 12);
      expect(logLoss(rows)).toBeCloseTo(loss, 12);
      expect(brierParts(rows).score).toBeCloseTo(brier, 12);
    }
  });

  it("at a threshold are scikit-learn's", () => {
    const figures = [
      [plain(TIED), 0.6575, 0.643312101910828, 0.554945054945055, 0.5958702064896755],
      [TIED, 0.665069218770473, 0.6436970729115521, 0.5648463377156399, 0.6016994193757208],
      [plain(SMOOTH), 0.68, 0.7181818181818181, 0.5107758620689655, 0.5969773299748111],
      [SMOOTH, 0.6707448526385434, 0.7064080863900042, 0.49156005527895086, 0.5797182511241183],
    ] as const;
    for (const [rows, ...expected] of figures) {
      const { accuracy, precision, recall, f1 } = decideAt(rows, 0.6);
      expectAll([accuracy, precision, recall, f1], expected, 12);
    }
  });

  it("of many classes are scikit-learn's macro-F1, one class never having happened", () => {
    const rng = createRng(9, 81);
    const happened = Array.from({ length: 300 }, () => rng.below(4));
    const predicted = happened.map((each) => (rng.next() < 0.6 ? each : rng.below(5)));
    expect(macroF1(predicted, happened)).toBeCloseTo(0.5729041489395948, 12);
  });

  it("by bins are scikit-learn's calibration_curve with quantiles", () => {
    const curve = reliabilityCurve(plain(SMOOTH));
    expectAll(
      curve.map(({ happened }) => happened),
      [0.14, 0.19, 0.34, 0.3, 0.5, 0.46, 0.56, 0.7, 0.65, 0.8],
      12,
    );
    const predicted = [
      0.029218266948637005, 0.07523492368425416, 0.13885485212872095, 0.22949838274736936, 0.3387235950745539,
      0.4399329222779426, 0.5717962027135648, 0.7035733377529075, 0.8227089334817115, 0.9404320707567665,
    ];
    expectAll(
      curve.map((bin) => bin.predicted),
      predicted,
      12,
    );
    expect(expectedCalibrationError(plain(SMOOTH))).toBeCloseTo(0.10070476018434724, 12);
  });
});

describe("DeLong's errors", () => {
  it("are those of the definition in NumPy, and the test that of MLstatkit, with ties and without", () => {
    const figures = [
      [
        SMOOTH,
        [0.00024289994320344816, 0.0002236949489075203, 0.00025875347275165967],
        -3.082889396619876,
        0.002050013316411571,
      ],
      [
        TIED,
        [0.0006704529726528875, 0.0006086154996863525, 0.0006991456904574764],
        -1.5865243167459284,
        0.11262042049450635,
      ],
    ] as const;
    for (const [rows, [first, both, second], z, p] of figures) {
      const other = noisierScores(rows, 3, 0.8);
      const { covariance } = delongAreas([rows.scores, other], rows.labels);
      expectAll([...covariance[0], ...covariance[1]], [first, both, both, second], 14);
      const { difference, error, pValue } = delongTest(rows.scores, other, rows.labels);
      expect(difference / error).toBeCloseTo(z, 9);
      expect(pValue).toBeCloseTo(p, 12);
    }
  });
});

describe("tests of two versions' trades", () => {
  it("have the figures of SciPy's ttest_ind with unequal variances", () => {
    const rng = createRng(9, 81);
    for (let i = 0; i < 300; i++) rng.below(4);
    for (let i = 0; i < 300; i++) if (rng.next() >= 0.6) rng.below(5);
    const [first, second] = [40, 55].map((length, k) =>
      Float64Array.from({ length }, () => 0.1 + 0.3 * k + (1 + k) * rng.normal()),
    );
    const { t, degrees, pValue, low, high } = welchTest(first, second);
    expectAll(
      [t, degrees, pValue, low, high],
      [2.485329596501346, 84.47436038590581, 0.014914848868126237, 0.16582956921411673, 1.4930763644072569],
      9,
    );
  });

  it("have the figures of statsmodels' proportions_ztest and Newcombe's interval", () => {
    const figures = [
      [45, 100, 60, 110, 1.3816985594155142, 0.16706427691489423, -0.03933556726738205, 0.22545082451918638],
      [3, 40, 9, 35, 2.1465741571734474, 0.031827199132860196, 0.012937110510960359, 0.3529227387930415],
    ] as const;
    for (const [hits, n, others, m, ...expected] of figures) {
      const { z, pValue, low, high } = twoProportionTest({ hits, n }, { hits: others, n: m });
      expectAll([z, pValue, low, high], expected, 12);
    }
  });
});

describe("calibration", () => {
  it("by Platt is scikit-learn's sigmoid of log-odds, with weights and without", () => {
    const figures = [
      [plain(TIED), 0.40325114318710253, -0.10362985519909368],
      [TIED, 0.42489582156079075, -0.13240124040315157],
      [plain(SMOOTH), 0.5045355948285807, 0.05793725520278298],
      [SMOOTH, 0.48241437077425103, 0.05053778549370277],
    ] as const;
    for (const [rows, slope, intercept] of figures) {
      const fitted = fitPlatt(rows);
      // scikit-learn stops at a gradient of 1e-6.
      expect(fitted).toMatchObject({ kind: "platt" });
      if (fitted.kind === "platt") expectAll([fitted.slope, fitted.intercept], [slope, intercept], 5);
    }
  });

  it("pools neighbours as scikit-learn's isotonic regression does", () => {
    const { from, mean } = poolAdjacent(
      [1, 3, 2, 4, 3.5, 3.4, 7, 6, 5, 9, 8, 10],
      [1, 2, 1, 3, 1, 1, 1, 2, 1, 0.5, 1, 1],
    );
    expect(from).toEqual([0, 1, 3, 6, 9, 11]);
    expectAll(mean, [1, 2.6666666666666665, 3.78, 6, 8.333333333333334, 10], 12);
  });

  it("has scikit-learn's isotonic chances at the centres of its blocks", () => {
    const scores = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9];
    const figures = [
      [
        TIED,
        [
          0.14301951333858898, 0.23748883775601423, 0.37051809854771367, 0.4206024482559207,
          0.6440249975402632, 0.688075723089862,
        ],
      ],
      [
        plain(TIED),
        [
          0.19047619047619047, 0.23880597014925373, 0.375, 0.46296296296296297, 0.6290322580645161,
          0.6756756756756757,
        ],
      ],
    ] as const;
    for (const [rows, chances] of figures) {
      const fitted = fitIsotonic(rows);
      if (fitted.kind !== "isotonic") throw new Error("an isotonic fit");
      for (const [i, chance] of chances.entries()) {
        // Steps and lines cross at a centre: the two points nearest to a score hold its step between them, or are it.
        const nearest = [...fitted.chance].sort((a, b) => Math.abs(a - chance) - Math.abs(b - chance))[0];
        expect(nearest).toBeCloseTo(chance, 12);
        const centre = fitted.at[fitted.chance.indexOf(nearest)];
        expect(calibrate(fitted, centre)).toBe(nearest);
        expect(Math.abs(centre - scores[i])).toBeLessThan(0.15);
      }
    }
  });
});

describe("the adaptive window", () => {
  const stream = jumpingStream(1, [
    [2_000, 0.2],
    [2_000, 0.5],
    [2_000, 0.4],
    [2_000, 0.1],
  ]);

  /** Values up to each change, after which a window begins anew, as river's does. */
  function changesOf(values: Float64Array, delta: number): number[] {
    const places: number[] = [];
    let window = createAdaptiveWindow(delta);
    for (const [i, value] of values.entries()) {
      if (observe(window, value) === null) continue;
      places.push(i + 1);
      window = createAdaptiveWindow(delta);
    }
    return places;
  }

  it.each([
    [0.002, [2_080, 4_608, 6_112]],
    [0.05, [2_048, 4_448, 6_080]],
  ])("sees at delta %f what river sees, at the very values", (delta, places) => {
    expect(changesOf(stream, delta)).toEqual(places);
  });

  it("is as quiet as river's on 20,000 values without a jump", () => {
    expect(changesOf(jumpingStream(2, [[20_000, 0.3]]), 0.002)).toEqual([]);
  });
});

describe("online logistic regression in the limit of many passes", () => {
  it.each([
    [
      0,
      [
        -0.323114417668324, 0.9560741110270237, -0.6517733558377663, 0.30464523022522777,
        -0.040438169235727114, 0.2827739812441097,
      ],
    ],
    [
      0.01,
      [
        -0.31551765732830567, 0.8472092952146401, -0.557722094308931, 0.283144110191465, -0.04055314931008986,
        0.26822388943027536,
      ],
    ],
    [
      0.1,
      [
        -0.29248518866390066, 0.46110804740953726, -0.23989427739958447, 0.19161161483374495,
        -0.03633829953952057, 0.19450690201064286,
      ],
    ],
  ])(
    "has at l2 of %f the coefficients of scikit-learn's LogisticRegression with C of 1 / (n l2)",
    (l2, figures) => {
      const settings = { ...ONLINE_SETTINGS, rate: 0.02, l2, passes: 500, missing: "mean" as const };
      const { base, columns } = coefficientsOf(trainOnline(logisticSamples(1, 2_000), settings));
      expectAll([base, ...columns], figures, 2);
    },
  );

  it("has at l1 of 0.03 those of its saga solver, and leaves out the column that tells nothing", () => {
    const settings = {
      ...ONLINE_SETTINGS,
      rate: 0.02,
      l1: 0.03,
      l2: 0,
      passes: 500,
      missing: "mean" as const,
    };
    const { base, columns } = coefficientsOf(trainOnline(logisticSamples(1, 2_000), settings));
    const figures = [
      -0.2939161033908153, 0.5530191083164836, -0.2685705741440121, 0.14695668570102224, 0,
      0.14975950139724226,
    ];
    expectAll([base, ...columns], figures, 2);
    expect(columns[3]).toBe(0);
  });

  it("has those of columns that say where a value is missing", () => {
    const settings = { ...ONLINE_SETTINGS, rate: 0.02, l2: 0.01, passes: 500 };
    const { base, columns, missing } = coefficientsOf(trainOnline(logisticSamples(2, 2_000, 0.2), settings));
    const figures = [
      -0.2847257455719174, 0.8083091296393566, -0.5909967128641928, 0.2162758505952219, -0.009488285532487126,
      0.4009258146762083, 0, 0, 0.11804812287144408, 0, -0.03687937041527681,
    ];
    expectAll([base, ...columns, ...missing], figures, 2);
  });
});
