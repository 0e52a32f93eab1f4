/** What happens to models: `{kind: "promoted" | "rolled_back" | "retired" | ..., model}`. */
export const MODEL_TOPIC = "models";
