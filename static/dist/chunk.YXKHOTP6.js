async function*l(r){let i=r.pipeThrough(new TextDecoderStream).getReader(),a="";for(;;){let{done:n,value:o}=await i.read();if(n)return;a+=o.replaceAll(`\r
`,`
`);let s=a.split(`

`);a=s.pop();for(let d of s){let e={type:"message",data:"",id:""};for(let t of d.split(`
`))t.startsWith("event:")?e.type=t.slice(6).trim():t.startsWith("data:")?e.data+=(e.data?`
`:"")+t.slice(5).replace(/^ /,""):t.startsWith("id:")&&(e.id=t.slice(3).trim());(e.data||e.id||e.type!=="message")&&(yield e)}}}export{l as a};
