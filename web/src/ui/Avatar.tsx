import { decodeBase58 } from "@/lib/base58";

interface Props {
  address: string;
  size?: number;
}

/** Three arcs, turned and coloured by the bytes of an address: the same one everywhere, without a picture to load. */
export function Avatar({ address, size = 28 }: Props) {
  const bytes = bytesOf(address);
  const hue = Math.round(((bytes[0] ?? 0) / 255) * 360);
  const arcs = [13.2, 9, 4.8].map((radius, i) => {
    const turn = Math.round(((bytes[i + 1] ?? 0) / 255) * 360);
    const share = 0.45 + ((bytes[i + 4] ?? 0) / 255) * 0.4;
    const around = 2 * Math.PI * radius;
    return (
      <circle
        key={radius}
        cx="16"
        cy="16"
        r={radius}
        transform={`rotate(${turn} 16 16)`}
        stroke={`hsl(${(hue + i * 38) % 360} 55% ${52 + i * 4}%)`}
        strokeDasharray={`${around * share} ${around}`}
      />
    );
  });
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" style={{ flex: "none", display: "block" }}>
      <circle cx="16" cy="16" r="16" fill={`hsl(${hue} 45% 50% / 14%)`} />
      <g fill="none" strokeWidth="2.6" strokeLinecap="round">
        {arcs}
      </g>
    </svg>
  );
}

function bytesOf(address: string): Uint8Array {
  try {
    return decodeBase58(address, 32);
  } catch {
    return new Uint8Array(32);
  }
}
