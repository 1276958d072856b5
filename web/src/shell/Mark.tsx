/** Choir's sign: voices around one point. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#4a4fd0" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M22.3 9.7a8.9 8.9 0 1 0 0 12.6" />
        <path d="M19 13a4.2 4.2 0 1 0 0 6" opacity=".75" />
      </g>
      <circle cx="23.6" cy="16" r="1.9" fill="#fff" />
    </svg>
  );
}
