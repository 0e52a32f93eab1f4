/** Facts of a share that change what its price means. Days are days since 1970-01-01, in the time of the exchange. */
export type CorporateAction =
  | {
      readonly kind: "split";
      /** First day on which the new shares trade. */
      readonly exDay: number;
      /** New shares for one old: 4 for four to one, 0.1 for one to ten. */
      readonly ratio: number;
    }
  | {
      readonly kind: "dividend";
      /** First day on which a buyer no longer gets it. */
      readonly exDay: number;
      /** Per share as it was on that day, in `currency`. */
      readonly amount: number;
      readonly currency: string;
    };
