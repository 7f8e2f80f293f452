import { piecesOf, type Range } from './pieces';

/** Text with marks: as text nodes, whatever stands in it. */
export function Marked({ text, ranges }: { text: string; ranges: readonly Range[] }) {
  return <>{piecesOf(text, ranges).map((piece, place) => (piece.isMarked ? <mark key={place}>{piece.text}</mark> : piece.text))}</>;
}
