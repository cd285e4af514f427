// start.js - puts GraphiQL on the page, which says where the endpoint is.
"use strict";

(function () {
  const place = document.getElementById("graphiql");
  const url = new URL(place.dataset.endpoint, location.href).href;
  const props = {
    fetcher: GraphiQL.createFetcher({ url }),
    // Tokens stay in the page: what is typed among the headers is never stored.
    shouldPersistHeaders: false,
    defaultQuery:
      "# Ctrl-Enter runs a request, Ctrl-Space completes it.\n" +
      "# A token goes below, under Headers; then the button\n" +
      "# \"Re-fetch GraphQL schema\" loads the documentation.\n\n",
  };
  if (place.dataset.token === "required") {
    props.defaultHeaders = '{\n  "Authorization": "Bearer "\n}';
  }
  ReactDOM.createRoot(place).render(React.createElement(GraphiQL, props));
})();
