import{a,b,c,d,e,f}from"./chunk.I5CXGLZY.js";export{e as bare,a as language,f as number,d as plural,b as rtl,c as t};
