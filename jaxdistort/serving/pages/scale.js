// From a slider's place to a parameter's value. Most of what matters lies near the weakest value (noise of 5 levels and
// of 10 differ more than 500 and 505), so the distance from it grows with the square of the way.

export const STEPS = 200;

export function scaleOf(parameter) {
  const { low, high, weakest, whole } = parameter;
  const below = Math.sqrt(weakest - low), above = Math.sqrt(high - weakest);
  const unit = Math.max(below, above) / STEPS;

  return {
    min: -Math.round(below / unit),
    max: Math.round(above / unit),
    toPlace: (value) => Math.round((Math.sign(value - weakest) * Math.sqrt(Math.abs(value - weakest))) / unit),
    toValue(place) {
      const value = weakest + Math.sign(place) * (place * unit) ** 2;
      const rounded = whole ? Math.round(value) : Number(value.toPrecision(3));
      return Math.min(high, Math.max(low, rounded));
    },
  };
}

// A number that a person typed, within the bounds; null if it is none.
export function typed(parameter, text) {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return null;
  const kept = Math.min(parameter.high, Math.max(parameter.low, value));
  return parameter.whole ? Math.round(kept) : kept;
}
