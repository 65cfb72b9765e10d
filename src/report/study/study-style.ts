import { style } from "../style.js";
import { paletteStyle } from "./palette.js";

/** The style sheet of a study's page: that of a run's page, the arms' colours, and what only a study shows. */
export const studyStyle = `${style}${paletteStyle}
.verdict { font-size: 1.15rem; }
.verdict:first-of-type { margin-top: 1rem; }
ul.said { margin: .7rem 0 0; padding-left: 1.1rem; max-width: 48rem; font-size: .94rem; }
ul.said li { margin: .2rem 0; }
figure .legend svg { display: inline-block; margin: 0 .4rem 0 0; vertical-align: -.1rem; max-width: none; }
figure .scroll > svg { margin: 0; }
figure .scroll > svg[width="860"] { width: 100%; min-width: 46rem; }
th .word { white-space: nowrap; }
td.name { max-width: 17rem; overflow: hidden; text-overflow: ellipsis; }
td small { color: var(--soft); }
td b { font-weight: 700; }
td.text, th.text { text-align: left; }
.missing { color: var(--soft); }
.swatch { display: inline-block; width: .72rem; height: .72rem; border-radius: 50%; margin-right: .45rem; vertical-align: -.04rem; }
table.wide { font-size: .84rem; }
table.methods td { white-space: normal; text-align: left; vertical-align: top; }
table.methods th { text-align: left; }
`;
