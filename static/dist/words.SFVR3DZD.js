import{a,b,c,d,e}from"./chunk.64ACLRRY.js";export{a as language,e as number,d as plural,b as rtl,c as t};
